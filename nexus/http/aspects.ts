import type { Context } from 'hono';
import { Type } from 'typebox';
import { Registration } from '#shared/frames/registration';
import { admitted, assertMayBe } from '../roster/handlers.ts';
import type { RosterEntry } from '../roster/roster.ts';
import { heartbeatIntervalS, type RosterService } from '../roster/roster-service.ts';
import { bodyOf, type HttpEnv, type Resource } from './app.ts';

const text = Type.String({ minLength: 1 });

/** Registration over HTTP, for programs without a socket: present, but nothing is pushed (§5). */
export function aspectRoutes(roster: RosterService): Resource {
  const registration = bodyOf(Registration);
  const heartbeat = bodyOf(Type.Object({ name: text, session_id: text }));
  const leave = bodyOf(
    Type.Object({
      name: text,
      session_id: text,
      reason: Type.Optional(Type.String({ maxLength: 500 })),
    }),
  );
  const list = (c: Context<HttpEnv>) => c.json({ aspects: roster.list().map(state) });

  return (app) => {
    app.get('/aspects', list);
    app.get('/api/aspects', list);

    app.post('/aspects/register', async (c) => {
      await roster.register(admitted(c.var.identity, await registration(c)));
      return c.json(
        {
          status: 'registered',
          heartbeat_interval_s: heartbeatIntervalS,
          stale_after_s: roster.staleAfterS,
        },
        201,
      );
    });

    app.post('/aspects/heartbeat', async (c) => {
      const { name, session_id } = await heartbeat(c);
      assertMayBe(c.var.identity, name);
      roster.heartbeat(name, session_id);
      return c.json({ status: 'ok' });
    });

    app.post('/aspects/deregister', async (c) => {
      const { name, session_id, reason } = await leave(c);
      assertMayBe(c.var.identity, name);
      await roster.deregister(name, session_id, reason);
      return c.json({ status: 'ok' });
    });
  };
}

/** A roster entry as `GET /api/aspects` shows it; Go clients expect the required members. */
function state({ registration, status, lastSeenAt }: RosterEntry): object {
  return {
    port: 0,
    pid: 0,
    started_at: '0001-01-01T00:00:00Z',
    capabilities: [],
    home: '',
    ...registration,
    last_heartbeat: new Date(lastSeenAt).toISOString(),
    status,
  };
}
