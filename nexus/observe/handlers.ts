import { nameKey } from '#shared/config/names';
import {
  ObserveBegin,
  ObserveEnd,
  ObserveEvent,
  SubscribeObserve,
  UnsubscribeObserve,
} from '#shared/frames/observe';
import type { Log } from '#shared/sys/log';
import type { Connection } from '../broker/connection.ts';
import { type Handler, reads } from '../broker/handler.ts';
import { observedAspect } from './attribution.ts';
import type { ObserveHub } from './observe-hub.ts';
import { TurnInputReader } from './turns/turn-input.ts';

export interface ObserveHandlerDeps {
  readonly observe: ObserveHub;
  readonly log: Log;
}

/**
 * The observability frames. Those of the uplink record nothing, but have the order of reads: they
 * must come after a registration that was sent just before them.
 */
export function observeHandlers({ observe, log }: ObserveHandlerDeps): Handler[] {
  const inputs = new TurnInputReader();
  const aspectOf = (connection: Connection, claimed: string | undefined): string => {
    const aspect = observedAspect(connection, claimed);
    if (claimed && nameKey(claimed) !== nameKey(aspect)) {
      log.debug({ connection: connection.id, claimed, aspect }, 'observed under another name');
    }
    return aspect;
  };
  return [
    reads(ObserveBegin, ({ aspect, turn_id, label, model, provider, trigger_msg }, connection) => {
      const head = { turnId: turn_id, label, model, provider, triggerMsg: trigger_msg };
      observe.begin(aspectOf(connection, aspect), head, connection);
      return undefined;
    }),

    reads(ObserveEvent, ({ aspect, event_kind, event }, connection) => {
      observe.take(aspectOf(connection, aspect), inputs.read(event_kind, event), connection);
      return undefined;
    }),

    reads(ObserveEnd, ({ aspect }, connection) => {
      observe.end(aspectOf(connection, aspect));
      return undefined;
    }),

    reads(SubscribeObserve, async (request, connection) => {
      await observe.subscribe(connection, request);
      return { kind: SubscribeObserve.kind, epoch: observe.epoch };
    }),

    reads(UnsubscribeObserve, ({ aspect }, connection) => {
      observe.unsubscribe(connection, aspect);
      return { kind: UnsubscribeObserve.kind };
    }),
  ];
}
