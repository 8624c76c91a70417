import { Type } from 'typebox';
import { FrameRefused } from '#shared/frames/errors';
import { Shutdown } from '#shared/frames/lifecycle';
import type { Journal } from '../journal/journal.ts';
import type { Operation, Operations } from '../operations/operations.ts';
import type { RosterService } from '../roster/roster-service.ts';
import { assertAdmin } from './admin.ts';
import { bodyOf, type Resource } from './app.ts';
import { rosterState } from './aspects.ts';

/** Bytes of a rewind's body. */
const maxRewindBytes = 4 * 1024;

/** Turns that one rewind may take back. */
const maxRewindTurns = 1_000;

/** Somebody asked the broker to stop. */
const shutdownAsked = 'broker.shutdown_asked';

/** How the Hands are doing. */
export interface DispatchStatus {
  readonly active_workers: number;
  readonly soft_cap: number;
  readonly hard_ceiling: number;
  readonly queue_depth: number;
  readonly busy_aspects: readonly string[];
}

export interface OperationRoutesDeps {
  readonly operations: Operations;
  readonly journal: Journal;
  readonly roster: RosterService;
  dispatchStatus(): DispatchStatus;
  /** Stops the broker, after this answer. */
  stop(): void;
}

/** What admins ask of the broker itself (auth spec §9.2). */
export function operationRoutes(deps: OperationRoutesDeps): Resource {
  const { operations, journal, roster } = deps;
  const rewind = bodyOf(
    Type.Object(
      {
        thread_id: Type.String({ minLength: 1, maxLength: 200 }),
        turns: Type.Integer({ minimum: 1, maximum: maxRewindTurns }),
      },
      { additionalProperties: false },
    ),
    maxRewindBytes,
  );

  return (app) => {
    app.post('/api/admin/shutdown', async (c) => {
      assertAdmin(c.var.identity);
      const actor = c.var.identity.name;
      const operation = operations.start(Shutdown.kind);
      try {
        await journal.append({ kind: shutdownAsked, actor, body: { opId: operation.id } });
      } catch (error) {
        operations.end(operation.id, 'the broker could not record this');
        throw error;
      }
      deps.stop();
      const { id: op_id, action, status } = operation;
      return c.json({ op_id, action, status }, 202);
    });

    app.post('/api/admin/compact', (c) => {
      assertAdmin(c.var.identity);
      throw notServed('compact');
    });

    app.post('/api/admin/rewind', async (c) => {
      assertAdmin(c.var.identity);
      await rewind(c);
      throw notServed('rewind');
    });

    app.get('/api/admin/op/:id', (c) => {
      assertAdmin(c.var.identity);
      const operation = operations.find(c.req.param('id'));
      if (!operation) throw new FrameRefused('not_found', 'op_not_found');
      return c.json(record(operation));
    });

    app.get('/api/admin/roster', (c) => {
      assertAdmin(c.var.identity);
      return c.json({ aspects: roster.list().map(rosterState) });
    });

    app.get('/api/admin/dispatch-status', (c) => {
      assertAdmin(c.var.identity);
      return c.json(deps.dispatchStatus());
    });
  };
}

const notServed = (action: string) =>
  new FrameRefused('unsupported', `unsupported: no runtime here serves ${action} yet`);

function record({ id, action, status, startedAt, endedAt, error }: Operation): object {
  return {
    op_id: id,
    action,
    status,
    started_at: new Date(startedAt).toISOString(),
    ...(endedAt !== undefined && { ended_at: new Date(endedAt).toISOString() }),
    ...(error !== undefined && { error }),
  };
}
