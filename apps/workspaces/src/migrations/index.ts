import * as workspaces from './0001-workspaces.ts';

export const migrations = { '0001-workspaces': workspaces };
