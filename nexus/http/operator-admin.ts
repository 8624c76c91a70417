import { Type } from 'typebox';
import { accessLevels } from '#shared/frames/define';
import { actorOf } from '../credentials/identity.ts';
import type { Account } from '../operators/account-rows.ts';
import type { Accounts } from '../operators/accounts.ts';
import { bodyOf, type Resource } from './app.ts';
import { rfc3339 } from './operator-login.ts';

const name = Type.String({ minLength: 1, maxLength: 64 });
const role = Type.Union(accessLevels.map((level) => Type.Literal(level)));

/** The people who run this Nexus. Admins only, as the route table says. */
export function operatorAdminRoutes(accounts: Accounts): Resource {
  const addition = bodyOf(Type.Object({ name, role }));
  const change = bodyOf(Type.Object({ role }));
  const linkFor = bodyOf(Type.Object({ operator: Type.Optional(name) }));
  return (app) => {
    app.get('/api/operators', (c) => c.json({ operators: accounts.list().map(view) }));

    app.post('/api/operators', async (c) => {
      const body = await addition(c);
      const account = await accounts.add(body.name, body.role, actorOf(c.var.identity));
      return c.json(view(account), 201);
    });

    app.put('/api/operators/:name', async (c) => {
      const body = await change(c);
      const account = await accounts.setAccess(
        c.req.param('name'),
        body.role,
        actorOf(c.var.identity),
      );
      return c.json(view(account));
    });

    app.delete('/api/operators/:name', async (c) => {
      await accounts.remove(c.req.param('name'), actorOf(c.var.identity));
      return c.json({ ok: true });
    });

    app.post('/api/operator/login-links', async (c) => {
      const { identity } = c.var;
      const { operator = identity.operator?.account ?? identity.name } = await linkFor(c);
      const link = await accounts.makeLink(operator, actorOf(identity));
      return c.json(
        { url: link.url, operator: link.operator, expires_at: rfc3339(link.expiresAt) },
        201,
      );
    });

    app.post('/api/operator/reset', async (c) => {
      await accounts.reset(actorOf(c.var.identity));
      return c.json({ ok: true });
    });
  };
}

const view = ({ name, access, createdAt }: Account): object => ({
  name,
  role: access,
  ...(createdAt !== undefined && { created_at: createdAt }),
});
