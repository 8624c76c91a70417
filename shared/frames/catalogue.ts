import * as chat from './chat.ts';
import type { FrameDefinition } from './define.ts';
import * as observe from './observe.ts';
import * as registration from './registration.ts';
import * as roster from './roster.ts';
import * as subscriptions from './subscriptions.ts';

/** Every frame kind there is. Nothing else may list kinds by hand. */
export const catalogue: readonly FrameDefinition[] = [
  registration.Register,
  registration.RegisterAck,
  registration.Deregister,
  chat.ChatSend,
  chat.ChatSendResult,
  chat.ChatDeliver,
  chat.ChatReplayEnd,
  chat.ChatReaction,
  chat.ChatReactionUpdate,
  chat.ChatRead,
  chat.ChatReadResult,
  chat.ChatList,
  chat.ChatListResult,
  roster.RosterList,
  roster.RosterListResult,
  roster.RosterUpdate,
  subscriptions.SubscribeChat,
  subscriptions.UnsubscribeChat,
  subscriptions.SubscribeRoster,
  subscriptions.UnsubscribeRoster,
  subscriptions.SubscribeAck,
  observe.ObserveBegin,
  observe.ObserveEvent,
  observe.ObserveEnd,
  observe.SubscribeObserve,
  observe.UnsubscribeObserve,
  observe.ObserveFrame,
];
