import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Context } from 'hono';
import { FrameRefused } from '#shared/frames/errors';
import type { Resource } from './app.ts';

const folder = fileURLToPath(new URL('../operators/page/', import.meta.url));

/** Everything that the pages consist of. Nothing else is ever read for a request. */
const files: Readonly<Record<string, { readonly path: string; readonly type: string }>> = {
  'index.html': page('index.html', 'text/html'),
  'login.html': page('login.html', 'text/html'),
  'page.css': page('page.css', 'text/css'),
  'api.js': page('api.js', 'text/javascript'),
  'login.js': page('login.js', 'text/javascript'),
  'home.js': page('home.js', 'text/javascript'),
  'webauthn.js': { path: webauthnBundle(), type: 'text/javascript' },
};

/** Only our own files run or are shown, nobody may frame us, and no address leaves with a click. */
const headers: Readonly<Record<string, string>> = {
  'Content-Security-Policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Cache-Control': 'no-cache',
};

/** The pages for a person at a browser: signing in, and who is signed in. Open to anyone. */
export function pageRoutes(): Resource {
  const contents = new Map<string, string>();
  const serve = (c: Context, name: string): Response => {
    const file = Object.hasOwn(files, name) ? files[name] : undefined;
    if (!file) throw new FrameRefused('not_found', 'not found');
    const text = contents.get(name) ?? readFileSync(file.path, 'utf8');
    contents.set(name, text);
    return c.body(text, 200, { ...headers, 'Content-Type': `${file.type}; charset=utf-8` });
  };
  return (app) => {
    app.get('/', (c) => serve(c, 'index.html'));
    app.get('/login', (c) => serve(c, 'login.html'));
    app.get('/page/:file', (c) => serve(c, c.req.param('file')));
  };
}

function page(name: string, type: string) {
  return { path: join(folder, name), type };
}

/** The library's bundle for pages, which is not among its exports. */
function webauthnBundle(): string {
  const entry = createRequire(import.meta.url).resolve('@simplewebauthn/browser');
  return join(dirname(dirname(entry)), 'dist', 'bundle', 'index.umd.min.js');
}
