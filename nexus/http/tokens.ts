import { Type } from 'typebox';
import { nameProblem } from '#shared/config/names';
import { FrameRefused } from '#shared/frames/errors';
import { actorOf, isAdmin, isOperator } from '../credentials/identity.ts';
import type { AspectStanding } from '../credentials/session-token.ts';
import type { TokenStore } from '../credentials/token-store.ts';
import type { Journal } from '../journal/journal.ts';
import { bodyOf, type Resource } from './app.ts';

/** Names that one token may be granted. */
const maxGrants = 256;

/** Gives an aspect or an Outpost a new token; its token before is void. Admins only. */
export function tokenRoutes(
  tokens: TokenStore,
  journal: Journal,
  standing: AspectStanding,
): Resource {
  const request = bodyOf(
    Type.Object({
      name: Type.String(),
      /** Other names that it may register: for an Outpost, the aspects of its host. */
      grants: Type.Optional(Type.Array(Type.String(), { maxItems: maxGrants })),
      /** May act for any aspect. The operator's to give. */
      admin: Type.Optional(Type.Boolean()),
    }),
  );
  return (app) => {
    app.post('/api/admin/tokens', async (c) => {
      const { identity } = c.var;
      if (!isAdmin(identity)) throw new FrameRefused('forbidden', 'admin_required');
      const { name: asked, grants, admin } = await request(c);
      for (const each of [asked, ...(grants ?? [])]) {
        const problem = nameProblem(each);
        if (problem) throw new FrameRefused('bad_request', problem);
      }
      if (admin && !isOperator(identity)) throw new FrameRefused('forbidden', 'operator_required');
      if (standing.isRetired(asked)) {
        throw new FrameRefused('conflict', `${asked} is retired; resurrect it first`);
      }
      const name = standing.find(asked)?.name ?? asked;
      const token = await tokens.issue(journal, name, actorOf(identity), { grants, admin });
      return c.json({ name, token }, 201);
    });
  };
}
