import type { FieldDefinition } from '@manifold/contracts';

const title: FieldDefinition = {
  object: 'lead',
  code: 'title',
  name: 'Title',
  type: 'varchar',
  custom: false,
};
const person = (code: string, type: FieldDefinition['type']): FieldDefinition => ({
  object: 'person',
  code,
  name: code,
  type,
  custom: false,
});
export const standard = [person('name', 'varchar'), person('emails', 'emails'), title];
export const budgetCode = 'b'.repeat(40);
export const budget: FieldDefinition = {
  ...person(budgetCode, 'monetary'),
  name: 'Budget',
  custom: true,
};
