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

/** Bytes of a request body, unless its route takes more or less. */
const maxBodyBytes = 64 * 1024;

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
  for (const add of open) add(app);
  app.use(async (c, next) => {
    const token = bearerToken(c.req.header('authorization'));
    const identity = token === undefined ? undefined : authenticate(token);
    if (!identity) throw new Unauthorized(token === undefined ? 'missing' : 'invalid');
    c.set('identity', identity);
    await next();
  });
  for (const add of guarded) add(app);
  return app;
}

/**
 * Compiles a body's schema into a reader that throws `FrameRefused` for anything else, and for more
 * than `maxBytes`. A schema without additional properties takes no unknown member, `null` or not.
 */
export function bodyOf<Schema extends TSchema>(schema: Schema, maxBytes = maxBodyBytes) {
  const check = compileSchema(schema);
  const limit = bodyLimit({
    maxSize: maxBytes,
    onError: () => {
      throw new FrameRefused('too_large', `this request body may have ${maxBytes} bytes`);
    },
  });
  return async (c: Context) => {
    await limit(c, () => Promise.resolve());
    const json: unknown = await c.req.json().catch((cause) => {
      throw new FrameRefused('bad_request', 'the body is not JSON', { cause });
    });
    // Go clients write `null` for empty lists.
    const body = withoutNulls(json);
    if (!check.accepts(body)) {
      throw new FrameRefused('bad_request', `body ${check.problemWith(body)}`);
    }
    const unknown = isStrict(schema) && unknownMember(schema, json);
    if (unknown) throw new FrameRefused('bad_request', `body has an unknown member "${unknown}"`);
    return body;
  };
}

interface ObjectSchema {
  readonly properties: object;
  readonly additionalProperties: boolean;
}

const isStrict = (schema: TSchema | ObjectSchema): schema is ObjectSchema =>
  'additionalProperties' in schema && schema.additionalProperties === false;

const unknownMember = ({ properties }: ObjectSchema, json: unknown): string | undefined =>
  Object.keys(json ?? {}).find((name) => !Object.hasOwn(properties, name));
