export * from './connect.ts';
export * from './ids.ts';
export * from './keyset.ts';
export * from './migrate.ts';
export * from './once.ts';
export * from './tenancy.ts';
