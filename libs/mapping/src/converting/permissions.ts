import type { Permission, VariableType } from '@manifold/contracts';
import type { Convert } from './conversion.ts';
import { foldLabel } from './texts.ts';

const words: Readonly<Record<Permission, readonly string[]>> = {
  subscribed: ['subscribed', 'yes', 'true', '1', 'on', 'allowed', 'granted', 'opted in', 'opt in'],
  unsubscribed: [
    ...['unsubscribed', 'not subscribed', 'no', 'false', '0', 'off', 'denied'],
    ...['opted out', 'opt out'],
    // of Pipedrive's marketing status
    ...['no consent', 'archived'],
  ],
};

const byWord = new Map(
  Object.entries(words).flatMap(([permission, said]) =>
    // the keys of the table
    said.map((word) => [word, permission as Permission] as const),
  ),
);

/** What a word says about a permission, Pipedrive's marketing status among them; undefined: nothing. */
export const readPermission = (word: string): Permission | undefined =>
  byWord.get(foldLabel(word).replace(/[-_]/g, ' '));

/** Who does not clearly agree does not agree. */
const stated: Convert<Permission> = (value) => {
  const permission = readPermission(String(value));
  return permission === undefined
    ? { value: 'unsubscribed', loss: 'permission_unclear' }
    : { value: permission };
};

/** An address alone is enough where a row says so (WX-12, WX-13). */
const filled: Convert<Permission> = () => ({ value: 'subscribed' });

const permissions: Partial<Record<VariableType, Convert<Permission>>> = {
  boolean: stated,
  number: stated,
  text: stated,
  option: stated,
  email: filled,
  email_list: filled,
  phone: filled,
  phone_list: filled,
};

/** How a value of a type decides a permission; undefined when it cannot. */
export const permissionOf = (source: VariableType): Convert<Permission> | undefined =>
  permissions[source];
