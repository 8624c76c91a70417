import { sqlTime } from '../storage/sql-time.ts';
import type { StoredEvent } from './chain-walk.ts';

const maxBody = 100;

/** Events for people: one line each, the newest last. */
export function auditTable(events: readonly StoredEvent[]): string {
  if (events.length === 0) return 'nothing recorded';
  const width = (of: (event: StoredEvent) => string) =>
    Math.max(...events.map((event) => of(event).length));
  const position = width((event) => String(event.position));
  const kind = width((event) => event.kind);
  const actor = width((event) => event.actor);
  return events
    .map((event) =>
      [
        String(event.position).padStart(position),
        sqlTime(event.at),
        event.actor.padEnd(actor),
        event.kind.padEnd(kind),
        shortened(event.body),
      ].join('  '),
    )
    .join('\n');
}

const shortened = (body: string): string =>
  body.length > maxBody ? `${body.slice(0, maxBody - 1)}…` : body;
