import { FrameRefused } from '#shared/frames/errors';
import { actorOf, type Identity, type OperatorRights } from '../credentials/identity.ts';
import type { OperatorSessions } from '../operators/operator-sessions.ts';
import type { Passkey } from '../operators/passkey-rows.ts';
import type { Passkeys } from '../operators/passkeys.ts';
import type { SessionRow } from '../operators/session-rows.ts';
import type { Resource } from './app.ts';
import { rfc3339 } from './operator-login.ts';
import type { SessionCookie } from './session-cookie.ts';

export interface OperatorSelfDeps {
  readonly nexusId: string;
  readonly sessions: OperatorSessions;
  readonly passkeys: Passkeys;
  readonly cookie: SessionCookie;
}

/** What people see and change of themselves; an admin of everybody. */
export function operatorSelfRoutes(deps: OperatorSelfDeps): Resource {
  const { nexusId, sessions, passkeys, cookie } = deps;
  return (app) => {
    app.get('/api/operator/me', (c) => {
      const { identity } = c.var;
      const { account, access } = rightsOf(identity);
      const { sessionId, expiresAt } = identity;
      return c.json({
        operator: account,
        role: access,
        nexus_id: nexusId,
        ...(sessionId !== undefined && { session_id: sessionId }),
        ...(expiresAt !== undefined && { session_expires: rfc3339(expiresAt) }),
      });
    });

    app.post('/api/operator/logout', async (c) => {
      const { identity } = c.var;
      const { sessionId } = identity;
      if (sessionId === undefined) {
        throw new FrameRefused(
          'bad_request',
          'this token is of no session; there is nothing to end',
        );
      }
      await sessions.end(sessionId, 'logout', actorOf(identity));
      cookie.clear(c);
      return c.json({ ok: true });
    });

    app.get('/api/operator/sessions', (c) => {
      const { identity } = c.var;
      const rows = sessions.list(mayManageAll(identity) ? undefined : rightsOf(identity).account);
      return c.json({ sessions: rows.map((row) => sessionView(row, identity.sessionId)) });
    });

    app.delete('/api/operator/sessions/:id', async (c) => {
      const { identity } = c.var;
      const row = sessions.find(c.req.param('id'));
      if (!row || !isFor(identity, row.operator)) {
        throw new FrameRefused('not_found', 'there is no such session; it may have ended');
      }
      await sessions.end(row.id, 'sign-out', actorOf(identity));
      if (row.id === identity.sessionId) cookie.clear(c);
      return c.json({ ok: true });
    });

    app.get('/api/operator/passkeys', (c) => {
      const { identity } = c.var;
      const list = passkeys.list(mayManageAll(identity) ? undefined : rightsOf(identity).account);
      return c.json({ passkeys: list.map(passkeyView) });
    });

    app.delete('/api/operator/passkeys/:id', async (c) => {
      const { identity } = c.var;
      const passkey = passkeys.find(Number(c.req.param('id')));
      if (!passkey || !isFor(identity, passkey.operator)) {
        throw new FrameRefused('not_found', 'there is no such passkey');
      }
      await passkeys.remove(passkey.id, actorOf(identity));
      return c.json({ ok: true });
    });
  };
}

/** The route table lets operators through, and nobody else. */
function rightsOf({ operator }: Identity): OperatorRights {
  if (!operator) throw new FrameRefused('forbidden', 'this is for operators');
  return operator;
}

const mayManageAll = (identity: Identity): boolean => rightsOf(identity).access === 'admin';

const isFor = (identity: Identity, operator: string): boolean =>
  mayManageAll(identity) || operator === rightsOf(identity).account;

function sessionView(row: SessionRow, current: string | undefined): object {
  return {
    id: row.id,
    operator: row.operator,
    method: row.method,
    ...(row.passkeyId !== null && { passkey_id: row.passkeyId }),
    agent: row.agent,
    address: row.address,
    opened_at: rfc3339(row.openedAt),
    seen_at: rfc3339(row.seenAt),
    expires_at: rfc3339(row.expiresAt),
    current: row.id === current,
  };
}

function passkeyView({ id, operator, label, registeredAt, lastUsedAt }: Passkey): object {
  return {
    id,
    operator,
    label,
    registered_at: registeredAt,
    ...(lastUsedAt !== undefined && { last_used_at: lastUsedAt }),
  };
}
