import { messageOf } from '#shared/errors';
import { ChatDeliver, ChatList, ChatReactionUpdate, ChatSend } from '#shared/frames/chat';
import { FrameCodec } from '#shared/frames/codec';
import type { PayloadOf } from '#shared/frames/define';
import { RosterList, type RosterRow, RosterUpdate } from '#shared/frames/roster';
import { SubscribeChat, SubscribeRoster } from '#shared/frames/subscriptions';
import { systemClock } from '#shared/sys/clock';
import { newUlid } from '#shared/sys/ids';
import { LinkError } from '#shared/transport/errors';
import { FrameClient, onPush } from '#shared/transport/frame-client';
import { dial } from '#shared/transport/ws-dial';
import type { BrokerAccess } from './broker-access.ts';
import { OperatorError } from './errors.ts';

/** What happens in the room, as an operator sees it. */
export interface RoomEvents {
  message(message: ChatDeliver): void;
  reaction(update: ChatReactionUpdate): void;
  roster(update: RosterUpdate): void;
}

/** An operator's seat in the chat room. */
export class Room {
  readonly #client: FrameClient;

  private constructor(client: FrameClient) {
    this.#client = client;
  }

  /** Takes a seat. Rejects with `OperatorError` when the broker is away or refuses the token. */
  static async enter({ url, token, pin }: BrokerAccess, on: RoomEvents): Promise<Room> {
    const codec = new FrameCodec([
      ChatSend,
      ChatList,
      RosterList,
      SubscribeChat,
      SubscribeRoster,
      ChatDeliver,
      ChatReactionUpdate,
      RosterUpdate,
    ]);
    const transport = await dial(url, token, { pin }).catch((cause) => {
      throw notReached(url, cause);
    });
    const client = new FrameClient(transport, { codec, clock: systemClock, newId: newUlid }, [
      onPush(ChatDeliver, (message) => on.message(message)),
      onPush(ChatReactionUpdate, (update) => on.reaction(update)),
      onPush(RosterUpdate, (update) => on.roster(update)),
    ]);
    await Promise.all([client.request(SubscribeChat, {}), client.request(SubscribeRoster, {})]);
    return new Room(client);
  }

  /** Resolves when the broker has ended the link. */
  get closed(): Promise<{ code: number; reason: string }> {
    return this.#client.closed;
  }

  async roster(): Promise<RosterRow[]> {
    return (await this.#client.request(RosterList, {})).aspects;
  }

  /** Posts as the operator; resolves once the message is on disk. */
  post(message: PayloadOf<typeof ChatSend>) {
    return this.#client.request(ChatSend, message);
  }

  /** The newest messages, oldest first. */
  async recent(limit: number): Promise<ChatDeliver[]> {
    return (await this.#client.request(ChatList, { limit })).messages;
  }

  async leave(): Promise<void> {
    this.#client.close();
    await this.#client.closed;
  }
}

function notReached(url: string, cause: unknown): OperatorError {
  if (cause instanceof LinkError && cause.code === 'link.unauthorized') {
    const message = `the broker on ${url} refused the operator's token; pass its own --data-dir`;
    return new OperatorError('operator.refused', message, { cause });
  }
  return noBroker(cause);
}

/** There is nobody to talk to; `cause` says where. */
export function noBroker(cause: unknown): OperatorError {
  const message = `${messageOf(cause)}; is the broker running there? nexus up starts one`;
  return new OperatorError('operator.no_broker', message, { cause });
}
