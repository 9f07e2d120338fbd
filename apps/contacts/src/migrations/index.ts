import * as contacts from './0001-contacts.ts';

export const migrations = { '0001-contacts': contacts };
