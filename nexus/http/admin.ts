import type { Context } from 'hono';
import { FrameRefused } from '#shared/frames/errors';
import { type Identity, isAdmin } from '../credentials/identity.ts';
import type { HttpEnv } from './app.ts';

/** Throws `FrameRefused` for everybody but operators and admins. */
export function assertAdmin(identity: Identity): void {
  if (!isAdmin(identity)) throw new FrameRefused('forbidden', 'admin_required');
}

/** A version in the query, where there is one. Throws `FrameRefused`. */
export function versionIn(c: Context<HttpEnv>, name: string): number | undefined {
  const text = c.req.query(name);
  if (text === undefined) return undefined;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new FrameRefused('bad_request', `${name} must be a version: a whole number`);
}
