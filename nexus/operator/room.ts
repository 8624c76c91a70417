import { ChatDeliver, ChatList, ChatReactionUpdate, ChatSend } from '#shared/frames/chat';
import { FrameCodec } from '#shared/frames/codec';
import type { PayloadOf } from '#shared/frames/define';
import { RosterList, type RosterRow, RosterUpdate } from '#shared/frames/roster';
import { SubscribeChat, SubscribeRoster } from '#shared/frames/subscriptions';
import { systemClock } from '#shared/sys/clock';
import { newUlid } from '#shared/sys/ids';
import { FrameClient, onPush } from '#shared/transport/frame-client';
import { dial } from '#shared/transport/ws-dial';
import type { BrokerAccess } from './broker-access.ts';

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

  /** Takes a seat. Rejects with `LinkError` when the broker is not there or refuses the token. */
  static async enter({ url, token }: BrokerAccess, on: RoomEvents): Promise<Room> {
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
    const client = new FrameClient(
      await dial(url, token),
      { codec, clock: systemClock, newId: newUlid },
      [
        onPush(ChatDeliver, (message) => on.message(message)),
        onPush(ChatReactionUpdate, (update) => on.reaction(update)),
        onPush(RosterUpdate, (update) => on.roster(update)),
      ],
    );
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
