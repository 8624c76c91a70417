import { AspectActivity } from '#shared/frames/status';
import { SubscribeStatus, UnsubscribeStatus } from '#shared/frames/subscriptions';
import { aside, type Handler, reads } from '../broker/handler.ts';
import type { Hub } from '../broker/hub.ts';
import { speakerOf } from '../broker/speaker.ts';
import type { StatusPulses } from './status-pulses.ts';

/** The status frames. */
export function statusHandlers(pulses: StatusPulses, hub: Hub): Handler[] {
  return [
    // At once: what an aspect does now need not wait for what it recorded before.
    aside(AspectActivity, ({ type, aspect_id, payload }, connection) => {
      pulses.activity(speakerOf(connection, aspect_id), type, payload);
      return undefined;
    }),

    reads(SubscribeStatus, (_, connection) => {
      hub.subscribe('status', connection);
      return { kind: SubscribeStatus.kind };
    }),

    reads(UnsubscribeStatus, (_, connection) => {
      hub.unsubscribe('status', connection);
      return { kind: UnsubscribeStatus.kind };
    }),
  ];
}
