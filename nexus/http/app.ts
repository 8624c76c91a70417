import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { TSchema } from 'typebox';
import { withoutNulls } from '#shared/frames/codec';
import { FrameRefused } from '#shared/frames/errors';
import { compileSchema } from '#shared/schema';
import type { Log } from '#shared/sys/log';
import { type Identity, isReadOnly } from '../credentials/identity.ts';
import { bearerToken } from '../gateway/access.ts';
import { httpError, TooManyRequests, Unauthorized } from './errors.ts';

/** Bytes of a request body. */
const maxBodyBytes = 64 * 1024;

export type HttpEnv = { Variables: { identity: Identity } };

/** One resource: adds its routes. Routes under it see `identity`, unless they are open. */
export type Resource = (app: Hono<HttpEnv>) => void;

export interface HttpAppDeps {
  readonly authenticate: (token: string) => Identity | undefined | Promise<Identity | undefined>;
  /** Served to anyone; these bound the bodies that they read themselves. */
  readonly bounded?: readonly Resource[];
  /** Served to anyone. */
  readonly open: readonly Resource[];
  /** Served with a bearer token. */
  readonly guarded: readonly Resource[];
  readonly log: Log;
}

/** The REST side of the broker. JSON in, JSON out; errors are `{"error": text}`. */
export function buildHttpApp(deps: HttpAppDeps): Hono<HttpEnv> {
  const { authenticate, bounded = [], open, guarded, log } = deps;
  const app = new Hono<HttpEnv>();
  app.onError((error, c) => {
    const { status, error: text } = httpError(error);
    if (status === 500) log.error({ err: error, path: c.req.path }, 'request failed');
    if (error instanceof TooManyRequests) c.header('Retry-After', String(error.retryAfterS));
    return c.json({ error: text }, status);
  });
  app.notFound((c) => c.json({ error: 'not found' }, 404));
  for (const add of bounded) add(app);
  app.use(
    bodyLimit({
      maxSize: maxBodyBytes,
      onError: () => {
        throw new FrameRefused('too_large', `a request body may have ${maxBodyBytes} bytes`);
      },
    }),
  );
  for (const add of open) add(app);
  app.use(async (c, next) => {
    const token = bearerToken(c.req.header('authorization'));
    const identity = token === undefined ? undefined : await authenticate(token);
    if (!identity) throw new Unauthorized();
    if (isReadOnly(identity) && c.req.method !== 'GET') {
      throw new FrameRefused('forbidden', 'this token may only read');
    }
    c.set('identity', identity);
    await next();
  });
  for (const add of guarded) add(app);
  return app;
}

/** Compiles a body's schema into a reader that throws `FrameRefused` for anything else. */
export function bodyOf<Schema extends TSchema>(schema: Schema) {
  const check = compileSchema(schema);
  return async (c: Context) => {
    const json: unknown = await c.req.json().catch((cause) => {
      if (cause instanceof FrameRefused) throw cause;
      throw new FrameRefused('bad_request', 'the body is not JSON');
    });
    // Go clients write `null` for empty lists.
    const body = withoutNulls(json);
    if (check.accepts(body)) return body;
    throw new FrameRefused('bad_request', `body ${check.problemWith(body)}`);
  };
}
