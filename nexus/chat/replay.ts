import { ChatDeliver, ChatReplayEnd } from '#shared/frames/chat';
import { pushTo, type Route } from '../broker/hub.ts';
import type { ChatStore } from './chat-store.ts';
import { toReplay } from './message.ts';
import { type Audience, isFor } from './recipients.ts';

/** Messages in one turn of the event loop: about a millisecond, which the others must wait. */
const messagesPerTurn = 256;

/** A replay pauses while this much waits for its reader. */
const congestedBytes = 1024 * 1024;

export interface ReplayDeps {
  readonly store: ChatStore;
  readonly audience: Audience;
  /** False once the name has another route, or none: the replay then ends without a word. */
  isCurrent(route: Route): boolean;
}

/**
 * Sends an aspect everything addressed to it above a cursor, oldest first, then a marker, and
 * then makes its route live.
 *
 * The route gets nothing else meanwhile: whatever is committed during the replay is found by it.
 * The switch happens in the turn that found nothing more, so nothing is missed or sent twice.
 */
export function replay(route: Route, sinceId: number, deps: ReplayDeps): void {
  const { store, audience } = deps;
  const { connection, name } = route;
  let cursor = sinceId;
  step();

  function step(): void {
    if (!connection.isOpen || !deps.isCurrent(route)) return;
    if (connection.queuedBytes > congestedBytes) {
      connection.onceDrained(step);
      return;
    }
    let left = messagesPerTurn;
    for (const message of store.since(cursor)) {
      // A turn's long messages are more than an outbox may hold.
      if (left-- === 0 || connection.queuedBytes > congestedBytes) {
        setImmediate(step);
        return;
      }
      cursor = message.id;
      if (!isFor(name, message, audience)) continue;
      pushTo(route, ChatDeliver, toReplay(message));
    }
    pushTo(route, ChatReplayEnd, { aspect: name, up_to_id: cursor });
    route.live = true;
  }
}
