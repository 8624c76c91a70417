import * as chat from './chat.ts';
import * as credentials from './credentials.ts';
import type { FrameDefinition } from './define.ts';
import * as dispatch from './dispatch.ts';
import * as files from './files.ts';
import * as knowledge from './knowledge.ts';
import * as lifecycle from './lifecycle.ts';
import * as observe from './observe.ts';
import * as outpost from './outpost.ts';
import * as registration from './registration.ts';
import * as roster from './roster.ts';
import * as session from './session.ts';
import * as sessionRefresh from './session-refresh.ts';
import * as status from './status.ts';
import * as subscriptions from './subscriptions.ts';
import * as surface from './surface.ts';
import * as turns from './turns.ts';

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
  files.AnnounceFile,
  files.ShareFile,
  files.FileResult,
  files.SharedNotify,
  files.SharedList,
  files.SharedListResult,
  files.SharedGet,
  files.SharedGetResult,
  files.SharedDelete,
  files.SharedDeleteResult,
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
  subscriptions.SubscribeStatus,
  subscriptions.UnsubscribeStatus,
  status.AspectActivity,
  status.AspectStatusPulse,
  surface.SwitchSurface,
  surface.SwitchSurfaceResult,
  turns.Turn,
  turns.TurnResult,
  turns.TurnError,
  turns.TurnCancel,
  turns.AspectTurn,
  turns.AspectTurnResult,
  dispatch.Dispatch,
  dispatch.DispatchResult,
  dispatch.DispatchError,
  credentials.CredentialFetch,
  credentials.CredentialFetchResult,
  session.SessionEntryAppended,
  session.SessionRewind,
  session.SessionFork,
  session.SessionList,
  session.SessionListResult,
  session.SessionEntries,
  session.SessionEntriesResult,
  session.SessionMoves,
  session.SessionMovesResult,
  knowledge.KnowledgeStore,
  knowledge.KnowledgeStoreResult,
  knowledge.KnowledgeSearch,
  knowledge.KnowledgeSearchResult,
  knowledge.KnowledgeList,
  knowledge.KnowledgeListResult,
  knowledge.KnowledgeShare,
  knowledge.KnowledgeShareResult,
];
