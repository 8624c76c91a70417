import { nameKey } from '#shared/config/names';
import type { FrameDefinition, PayloadOf } from '#shared/frames/define';
import { encodeFrame } from '#shared/frames/envelope';
import { OutboundFrame } from '#shared/transport/frame-batch';
import type { Connection } from './connection.ts';

/** What operators can subscribe to. */
export type Topic = 'chat' | 'roster' | 'status';

/** A name's way to its connection. A later route for the same name has a higher generation. */
export interface Route {
  readonly name: string;
  readonly connection: Connection;
  readonly generation: number;
  /** False while a replay is still catching up: it will reach newer messages by itself. */
  live: boolean;
}

/** Whether frames on this route must name their destination (G7). */
export const isBehindOutpost = ({ connection }: Route): boolean =>
  connection.outpostId !== undefined;

/** Sends one frame to a name, through its Outpost if it has one. */
export function pushTo<D extends FrameDefinition>(
  route: Route,
  definition: D,
  payload: PayloadOf<D>,
): void {
  const head = isBehindOutpost(route) ? { target_aspect: route.name } : {};
  route.connection.send(new OutboundFrame(encodeFrame(definition.kind, payload, head)));
}

/** Who is connected, under which names, and who wants to hear what. Memory only. */
export class Hub {
  readonly #connections = new Set<Connection>();
  readonly #routes = new Map<string, Route>();
  readonly #subscribers: Readonly<Record<Topic, Set<Connection>>> = {
    chat: new Set(),
    roster: new Set(),
    status: new Set(),
  };
  readonly #goneListeners = new Set<(route: Route) => void>();
  #generation = 0;

  get connections(): ReadonlySet<Connection> {
    return this.#connections;
  }

  /** Takes a connection in until it ends. */
  attach(connection: Connection): void {
    this.#connections.add(connection);
    connection.onClose(() => {
      this.#connections.delete(connection);
      for (const subscribers of Object.values(this.#subscribers)) subscribers.delete(connection);
    });
  }

  /** Points a name at a connection, replacing an older route. */
  bind(name: string, connection: Connection, live: boolean): Route {
    const key = nameKey(name);
    const older = this.#routes.get(key);
    if (older) older.connection.names.delete(key);
    const route = { name, connection, generation: ++this.#generation, live };
    this.#routes.set(key, route);
    connection.names.set(key, name);
    if (older && older.connection !== connection) this.#tellGone(older);
    return route;
  }

  /** Removes a route unless a newer one has taken its place. */
  unbind(route: Route): void {
    const key = nameKey(route.name);
    if (this.#routes.get(key)?.generation !== route.generation) return;
    this.#routes.delete(key);
    route.connection.names.delete(key);
    this.#tellGone(route);
  }

  /** Calls `listener` when a name no longer leads to a connection it led to. */
  onRouteGone(listener: (route: Route) => void): void {
    this.#goneListeners.add(listener);
  }

  /** Whether this is still its name's way to a connection. */
  isCurrent(route: Route): boolean {
    return this.#routes.get(nameKey(route.name)) === route;
  }

  /** The route of a name, in any case. */
  find(name: string): Route | undefined {
    return this.#routes.get(nameKey(name));
  }

  /** Every route, in no particular order. */
  routes(): IterableIterator<Route> {
    return this.#routes.values();
  }

  subscribe(topic: Topic, connection: Connection): void {
    this.#subscribers[topic].add(connection);
  }

  unsubscribe(topic: Topic, connection: Connection): void {
    this.#subscribers[topic].delete(connection);
  }

  hasSubscribers(topic: Topic): boolean {
    return this.#subscribers[topic].size > 0;
  }

  /** Queues a frame for every subscriber of a topic. */
  publish(topic: Topic, frame: OutboundFrame): void {
    for (const connection of this.#subscribers[topic]) connection.send(frame);
  }

  #tellGone(route: Route): void {
    for (const listener of this.#goneListeners) listener(route);
  }
}
