import * as contacts from './0001-contacts.ts';
import * as sizes from './0002-sizes.ts';

export const migrations = { '0001-contacts': contacts, '0002-sizes': sizes };
