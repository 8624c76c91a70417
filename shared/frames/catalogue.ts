import * as chat from './chat.ts';
import type { FrameDefinition } from './define.ts';
import * as lifecycle from './lifecycle.ts';
import * as outpost from './outpost.ts';
import * as registration from './registration.ts';
import * as roster from './roster.ts';
import * as sessionRefresh from './session-refresh.ts';
import * as subscriptions from './subscriptions.ts';

/** Every frame kind there is. Nothing else may list kinds by hand. */
export const catalogue: readonly FrameDefinition[] = [
  registration.Register,
  registration.RegisterAck,
  registration.Deregister,
  outpost.OutpostRegister,
  outpost.OutpostRegisterAck,
  outpost.OutpostDeregister,
  lifecycle.Shutdown,
  sessionRefresh.SessionRefresh,
  sessionRefresh.SessionRefreshResult,
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
  chat.ChatReplies,
  chat.ChatRepliesResult,
  chat.ChatReactionsFetch,
  chat.ChatReactionsFetchResult,
  chat.ReactTo,
  chat.ReactToResult,
  chat.AspectSay,
  chat.AspectSayResult,
  roster.RosterList,
  roster.RosterListResult,
  roster.RosterUpdate,
  subscriptions.SubscribeChat,
  subscriptions.UnsubscribeChat,
  subscriptions.SubscribeRoster,
  subscriptions.UnsubscribeRoster,
  subscriptions.SubscribeAck,
];
