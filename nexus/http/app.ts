import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { TSchema } from 'typebox';
import { withoutNulls } from '#shared/frames/codec';
import { FrameRefused } from '#shared/frames/errors';
import { compileSchema } from '#shared/schema';
import type { Log } from '#shared/sys/log';
import type { Identity } from '../credentials/identity.ts';
import { bearerToken } from '../gateway/access.ts';
import { httpError, Unauthorized } from './errors.ts';

/** Bytes of a request body that any route may take; most take less. */
const maxBodyBytes = 256 * 1024;
const usualBodyBytes = 64 * 1024;

export type HttpEnv = { Variables: { identity: Identity } };

/** One resource: adds its routes. Routes under it see `identity`, unless they are open. */
export type Resource = (app: Hono<HttpEnv>) => void;

export interface HttpAppDeps {
  readonly authenticate: (token: string) => Identity | undefined;
  /** Served to anyone. */
  readonly open: readonly Resource[];
  /** Served with a bearer token. */
  readonly guarded: readonly Resource[];
  readonly log: Log;
}

/** The REST side of the broker. JSON in, JSON out; errors are `{"error": text}`. */
export function buildHttpApp({ authenticate, open, guarded, log }: HttpAppDeps): Hono<HttpEnv> {
  const app = new Hono<HttpEnv>();
  app.onError((error, c) => {
    const { status, error: text } = httpError(error);
    if (status === 500) log.error({ err: error, path: c.req.path }, 'request failed');
    return c.json({ error: text }, status);
  });
  app.notFound((c) => c.json({ error: 'not found' }, 404));
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
    const identity = token === undefined ? undefined : authenticate(token);
    if (!identity) throw new Unauthorized();
    c.set('identity', identity);
    await next();
  });
  for (const add of guarded) add(app);
  return app;
}

/** The text of a body. Throws `FrameRefused` when it has more bytes. */
export async function bodyText(c: Context, maxBytes: number): Promise<string> {
  const text = await c.req.text();
  if (Buffer.byteLength(text) <= maxBytes) return text;
  throw new FrameRefused('too_large', `this request's body may have ${maxBytes} bytes`);
}

/** Compiles a body's schema into a reader that throws `FrameRefused` for anything else. */
export function bodyOf<Schema extends TSchema>(schema: Schema, maxBytes = usualBodyBytes) {
  const check = compileSchema(schema);
  return async (c: Context) => {
    // Go clients write `null` for empty lists.
    const body = withoutNulls(parse(await bodyText(c, maxBytes)));
    if (check.accepts(body)) return body;
    throw new FrameRefused('bad_request', `body ${check.problemWith(body)}`);
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new FrameRefused('bad_request', 'the body is not JSON');
  }
}
