import { Type } from 'typebox';
import { defineFrame } from './define.ts';

/** Confirms a subscribe or unsubscribe; `kind` names the request's kind. */
export const SubscribeAck = defineFrame({
  kind: 'subscribe.ack',
  from: ['broker'],
  reply: 'none',
  payload: Type.Object({
    kind: Type.String(),
    /** Ours: with `subscribe.observe`, the epoch that its frames' `seq` belong to. */
    epoch: Type.Optional(Type.String()),
  }),
});

const request = {
  from: ['operator'],
  reply: SubscribeAck,
  effect: 'reads',
  payload: Type.Unknown(),
} as const;

/** Every chat message from now on, one's own included. Idempotent; ends with the socket. */
export const SubscribeChat = defineFrame({ kind: 'subscribe.chat', ...request });
export const UnsubscribeChat = defineFrame({ kind: 'unsubscribe.chat', ...request });

/** Every roster transition from now on. */
export const SubscribeRoster = defineFrame({ kind: 'subscribe.roster', ...request });
export const UnsubscribeRoster = defineFrame({ kind: 'unsubscribe.roster', ...request });

/** Every status pulse from now on. */
export const SubscribeStatus = defineFrame({ kind: 'subscribe.aspect_status', ...request });
export const UnsubscribeStatus = defineFrame({ kind: 'unsubscribe.aspect_status', ...request });
