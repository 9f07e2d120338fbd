import type { FormField } from '../store.ts';

/** One e-mail is one user whatever its case (RF-26); plus tags tell users apart (RF-27). */
export const emailKeyOf = (email: string): string => email.toLowerCase();

/** The address a user gives away. */
export const linkOf = (base: string, code: string): string =>
  new URL(code, base.endsWith('/') ? base : `${base}/`).href;

/** Something wrong with the fields of a sign-up form. */
export interface FormIssue {
  field: string;
  message: string;
  code: 'unknown_field' | 'invalid_input';
  fix: string;
}

/** What a form lacks, holds twice or never asked for, all at once (RF-17). */
export function checkForm(
  fields: readonly FormField[],
  attributes: readonly { key: string; value: string }[],
): FormIssue[] {
  const known = new Set(fields.map(({ key }) => key));
  const seen = new Set<string>();
  const issues = attributes.flatMap(({ key }, index): FormIssue[] => {
    const field = `input.attributes.${index}.key`;
    if (!known.has(key)) {
      const message = `The form of this campaign has no field ${key}.`;
      return [
        {
          field,
          message,
          code: 'unknown_field',
          fix: 'Add it with saveCampaign, or leave it out.',
        },
      ];
    }
    const isRepeated = seen.has(key);
    seen.add(key);
    const message = `The field ${key} is given twice.`;
    return isRepeated ? [{ field, message, code: 'invalid_input', fix: 'Give it once.' }] : [];
  });
  const filled = new Set(attributes.flatMap(({ key, value }) => (value.trim() === '' ? [] : key)));
  const missing = fields.filter(({ key, required }) => required && !filled.has(key));
  return [
    ...issues,
    ...missing.map(({ key }): FormIssue => {
      const message = `The field ${key} is required.`;
      return {
        field: 'input.attributes',
        message,
        code: 'invalid_input',
        fix: `Add a value for ${key}.`,
      };
    }),
  ];
}
