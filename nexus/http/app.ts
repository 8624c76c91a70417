import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { matchedRoutes } from 'hono/route';
import type { TSchema } from 'typebox';
import { withoutNulls } from '#shared/frames/codec';
import { FrameRefused } from '#shared/frames/errors';
import { isTooDeep, maxJsonDepth, parseJson } from '#shared/json';
import { compileSchema } from '#shared/schema';
import type { Clock } from '#shared/sys/clock';
import type { Log } from '#shared/sys/log';
import { type Identity, isReadOnly } from '../credentials/identity.ts';
import {
  isRefused,
  type RefusedRequest,
  type RequestFacts,
  type Verdict,
} from '../credentials/request-identity.ts';
import type { Caller } from '../gateway/listener.ts';
import { isUpload } from '../gateway/request-time.ts';
import { httpError, TooManyRequests, Unauthorized } from './errors.ts';
import { requestFacts } from './request-facts.ts';
import { assertMayCall, type RouteRule, routeTable } from './route-table.ts';

/** Bytes of a request body that any route may take; most take less. */
const maxBodyBytes = 256 * 1024;
const usualBodyBytes = 64 * 1024;

/** `c.env` is where a request came from. */
export type HttpEnv = { Bindings: Caller; Variables: { identity: Identity } };

/** One resource: adds its routes. Routes under it see `identity`, unless they are open. */
export type Resource = (app: Hono<HttpEnv>) => void;

export interface HttpAppDeps {
  readonly identify: (facts: RequestFacts) => Verdict | Promise<Verdict>;
  /** Served to anyone; these bound the bodies that they read themselves. */
  readonly bounded?: readonly Resource[];
  /** Served to anyone. */
  readonly open: readonly Resource[];
  /** Served to those whom the route table names. */
  readonly guarded: readonly Resource[];
  readonly clock: Clock;
  readonly log: Log;
}

/** The REST side of the broker. JSON in, JSON out; errors are `{"error": text}`. */
export function buildHttpApp(deps: HttpAppDeps): Hono<HttpEnv> {
  const { identify, bounded = [], open, guarded, clock, log } = deps;
  const app = new Hono<HttpEnv>();
  app.onError((error, c) => {
    const { status, error: text } = httpError(error);
    if (status === 500) log.error({ err: error, path: c.req.path }, 'request failed');
    if (error instanceof TooManyRequests) c.header('Retry-After', String(error.retryAfterS));
    return c.json({ error: text }, status);
  });
  app.notFound((c) => c.json({ error: 'not found' }, 404));
  for (const add of bounded) add(app);
  const limitBody = bodyLimit({
    maxSize: maxBodyBytes,
    onError: () => {
      throw new FrameRefused('too_large', `a request body may have ${maxBodyBytes} bytes`);
    },
  });
  app.use((c, next) => (isUpload(c.req.method, c.req.path) ? next() : limitBody(c, next)));
  for (const add of open) add(app);
  app.use(async (c, next) => {
    const verdict = await identify(requestFacts(c));
    if (isRefused(verdict)) throw refusal(verdict);
    if (isReadOnly(verdict) && c.req.method !== 'GET') {
      throw new FrameRefused('forbidden', 'this token may only read');
    }
    const routes = matchedRoutes(c).filter(isRoute);
    if (routes.length > 0) assertMayCall(ruleOf(routes), verdict, clock.now());
    c.set('identity', verdict);
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

/** Why a caller is nobody, as what a route throws. */
export function refusal({ refused, message }: RefusedRequest): Error {
  return refused === 'forbidden' ? new FrameRefused(refused, message) : new Unauthorized(message);
}

/** Every route of an app, in the words of the route table. */
export const routesOf = (app: Hono<HttpEnv>): string[] => [
  ...new Set(app.routes.filter(isRoute).map(({ method, path }) => `${method} ${path}`)),
];

/** Middleware is for whole subtrees, routes are not. */
const isRoute = ({ path }: { readonly path: string }): boolean => !path.endsWith('*');

function ruleOf(routes: readonly { method: string; path: string }[]): RouteRule | undefined {
  const keys = routes.map(({ method, path }) => `${method} ${path}`);
  return keys.map((key) => routeTable[key]).find((rule) => rule !== undefined);
}

/** Compiles a body's schema into a reader that throws `FrameRefused` for anything else. */
export function bodyOf<Schema extends TSchema>(schema: Schema, maxBytes = usualBodyBytes) {
  const check = compileSchema(schema);
  return async (c: Context) => {
    // Go clients write `null` for empty lists.
    const json = parseBody(await bodyText(c, maxBytes));
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

/** A strict schema takes no unknown member, `null` or not. */
const unknownMember = ({ properties }: ObjectSchema, json: unknown): string | undefined =>
  Object.keys(json ?? {}).find((name) => !Object.hasOwn(properties, name));

function parseBody(text: string): unknown {
  let body: unknown;
  try {
    body = parseJson(text);
  } catch (cause) {
    throw new FrameRefused('bad_request', 'the body is not JSON', { cause });
  }
  if (!isTooDeep(body)) return body;
  throw new FrameRefused('bad_request', `body nests more than ${maxJsonDepth} arrays and objects`);
}
