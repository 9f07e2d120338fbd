export * from './arguments.ts';
export * from './errors.ts';
export * from './identity.ts';
export * from './loaders.ts';
export * from './pages.ts';
export * from './roles.ts';
export * from './selections.ts';
export * from './server.ts';
