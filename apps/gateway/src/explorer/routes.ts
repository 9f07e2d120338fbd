import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { type HttpHandler, sendJson } from '@manifold/service';

const require = createRequire(import.meta.url);
const packaged = (name: string, file: string): string =>
  join(dirname(require.resolve(`${name}/package.json`)), file);
const own = (file: string): string => join(import.meta.dirname, file);

const HTML = 'text/html; charset=utf-8';
const SCRIPT = 'text/javascript; charset=utf-8';
const STYLE = 'text/css; charset=utf-8';

/** The page and all it loads, from installed packages: it works without a network. */
const files: Record<string, { file: string; type: string }> = {
  '/': { file: own('index.html'), type: HTML },
  '/explorer/explorer.js': { file: own('explorer.js'), type: SCRIPT },
  '/explorer/explorer.css': { file: own('explorer.css'), type: STYLE },
  '/explorer/react.js': { file: packaged('react', 'umd/react.production.min.js'), type: SCRIPT },
  '/explorer/react-dom.js': {
    file: packaged('react-dom', 'umd/react-dom.production.min.js'),
    type: SCRIPT,
  },
  '/explorer/graphiql.js': { file: packaged('graphiql', 'graphiql.min.js'), type: SCRIPT },
  '/explorer/graphiql.css': { file: packaged('graphiql', 'graphiql.min.css'), type: STYLE },
};

/** Scripts from here alone; inline styles because the editor sets them. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Serves the explorer: an editor for operations with documentation of the graph. */
export async function createExplorerRoutes(): Promise<Record<string, HttpHandler>> {
  const routes = Object.entries(files).map(async ([path, { file, type }]) => {
    const content = await readFile(file);
    const handler: HttpHandler = ({ method }, response) => {
      if (method !== 'GET' && method !== 'HEAD') {
        response.setHeader('allow', 'GET');
        return sendJson(response, 405, { error: 'Use GET' });
      }
      response.writeHead(200, {
        'content-type': type,
        'content-length': content.length,
        'content-security-policy': POLICY,
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'cache-control': path === '/' ? 'no-store' : 'private, max-age=3600',
      });
      response.end(method === 'GET' ? content : undefined);
    };
    return [path, handler] as const;
  });
  return Object.fromEntries(await Promise.all(routes));
}
