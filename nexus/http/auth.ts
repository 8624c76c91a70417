import type { Identity } from '../credentials/identity.ts';
import { isOperator } from '../credentials/identity.ts';
import { bearerToken } from '../gateway/access.ts';
import type { Resource } from './app.ts';

export interface AuthRouteDeps {
  readonly resolve: (
    token: string | undefined,
  ) => Identity | undefined | Promise<Identity | undefined>;
  /** Whether everybody is let in as the operator. */
  readonly bypass: boolean;
}

/** What a page asks before it asks for anything else. Any token will do, also a stored one (G5). */
export function authRoutes({ resolve, bypass }: AuthRouteDeps): Resource {
  return (app) => {
    app.get('/api/auth/mode', (c) => {
      c.header('Cache-Control', 'no-store');
      return c.json({ bypass });
    });
    app.get('/api/auth/check', async (c) => {
      c.header('Cache-Control', 'no-store');
      const identity = await resolve(bearerToken(c.req.header('authorization')));
      if (identity) return c.json({ ok: true, role: isOperator(identity) ? 'operator' : 'aspect' });
      // Clients of the reference expect this text, under this type.
      return c.text(JSON.stringify({ ok: false, error: 'missing or invalid bearer token' }), 401);
    });
  };
}
