import { Type } from 'typebox';
import { nameProblem } from '#shared/config/names';
import { FrameRefused } from '#shared/frames/errors';
import { isAdmin } from '../credentials/identity.ts';
import type { TokenStore } from '../credentials/token-store.ts';
import type { Journal } from '../journal/journal.ts';
import { bodyOf, type Resource } from './app.ts';

/** Gives an aspect a new token; its token before is void. Admins only. */
export function tokenRoutes(tokens: TokenStore, journal: Journal): Resource {
  const request = bodyOf(Type.Object({ name: Type.String() }));
  return (app) => {
    app.post('/api/admin/tokens', async (c) => {
      const { identity } = c.var;
      if (!isAdmin(identity)) throw new FrameRefused('forbidden', 'admin_required');
      const asked = await request(c);
      const problem = nameProblem(asked.name);
      if (problem) throw new FrameRefused('bad_request', problem);
      const name = tokens.findName(asked.name) ?? asked.name;
      const token = await tokens.issue(journal, name, identity.name);
      return c.json({ name, token }, 201);
    });
  };
}
