import { nameKey } from '#shared/config/names';
import { encodeFrame } from '#shared/frames/envelope';
import type { Registration } from '#shared/frames/registration';
import { type RosterRow, RosterUpdate } from '#shared/frames/roster';
import type { Clock } from '#shared/sys/clock';
import type { Log } from '#shared/sys/log';
import { OutboundFrame } from '#shared/transport/frame-batch';
import type { Connection } from '../broker/connection.ts';
import type { Hub, Route } from '../broker/hub.ts';
import type { Journal } from '../journal/journal.ts';
import { Roster, type RosterEntry, type RosterTimes } from './roster.ts';

/** What `register.ack` announces. An open socket is liveness; only REST aspects send heartbeats. */
export const heartbeatIntervalS = 10;

export interface RosterServiceDeps {
  readonly journal: Journal;
  readonly hub: Hub;
  readonly clock: Clock;
  readonly log: Log;
  readonly times: RosterTimes & { readonly sweepEveryMs: number };
  /** The coordinator's name, shown as role `frame`. */
  readonly frameName?: string | undefined;
}

/** Told when an aspect comes or goes, and why: `registered`, `ws_closed`, or what it said. */
export type PresenceListener = (name: string, connected: boolean, reason: string) => void;

type Transition = 'connect' | 'disconnect' | 'status_change';

/** Runs the roster: records registrations, binds routes, tells operators, lets time pass. */
export class RosterService {
  readonly #deps: RosterServiceDeps;
  readonly #roster: Roster;
  readonly #registeredListeners = new Set<(row: RosterRow) => void>();
  readonly #presenceListeners: PresenceListener[] = [];
  #cancelSweep: () => void = () => undefined;

  constructor(deps: RosterServiceDeps) {
    this.#deps = deps;
    this.#roster = new Roster(deps.times);
    this.#scheduleSweep();
  }

  get staleAfterS(): number {
    return this.#deps.times.staleAfterMs / 1000;
  }

  list(): RosterEntry[] {
    return this.#roster.list();
  }

  /** The roster as operators see it. */
  rows(): RosterRow[] {
    return this.list().map((entry) => this.#row(entry));
  }

  /** Calls `listener` after every registration. The returned function ends that. */
  onRegistered(listener: (row: RosterRow) => void): () => void {
    this.#registeredListeners.add(listener);
    return () => void this.#registeredListeners.delete(listener);
  }

  onPresence(listener: PresenceListener): void {
    this.#presenceListeners.push(listener);
  }

  /** Registers without a socket: present in the roster, but nothing is pushed to it. */
  async register(registration: Registration): Promise<void> {
    await this.#record(registration, false);
  }

  /**
   * Registers over a socket and, once that is on disk, binds the name to it. An older socket of
   * the same session is closed with 4001. Returns undefined when the socket ended meanwhile.
   */
  async connect(
    registration: Registration,
    connection: Connection,
    live: boolean,
  ): Promise<Route | undefined> {
    const { hub } = this.#deps;
    const { name } = registration;
    const entry = await this.#record(registration, true);
    let route: Route | undefined;
    const ended = (reason: string) => {
      if (route) hub.unbind(route);
      this.#disconnected(entry, reason);
    };
    connection.onClose(ended, `registration of ${nameKey(name)}`);
    if (!connection.isOpen) return undefined;
    const older = hub.find(name);
    route = hub.bind(name, connection, live);
    connection.names.set(nameKey(name), name);
    if (older && older.connection !== connection) {
      older.connection.close(4001, `${name} registered again on another connection`);
    }
    return route;
  }

  /** A sign of life over REST. */
  heartbeat(name: string, sessionId: string): void {
    const before = this.#roster.find(name)?.status;
    const entry = this.#roster.heartbeat(name, sessionId, this.#deps.clock.now());
    if (before !== 'live') this.#announce(entry, 'status_change');
  }

  /** Leaves for good. Succeeds when the name is absent. */
  async deregister(name: string, sessionId: string, why?: string): Promise<void> {
    const reason = why || 'deregistered';
    const entry = this.#roster.deregister(name, sessionId);
    if (!entry) return;
    const route = this.#deps.hub.find(name);
    if (route) this.#deps.hub.unbind(route);
    this.#announce({ ...entry, status: 'down' }, 'disconnect');
    this.#tellPresence(entry, false, reason);
    await this.#append('aspect.deregistered', entry, { reason });
  }

  close(): void {
    this.#cancelSweep();
  }

  async #record(registration: Registration, connected: boolean): Promise<RosterEntry> {
    const { clock } = this.#deps;
    const entry = this.#roster.register(registration, clock.now(), connected);
    try {
      const { provider, model, context_mode } = registration;
      await this.#append('aspect.registered', entry, {
        provider,
        model,
        contextMode: context_mode,
        connected,
      });
    } catch (error) {
      this.#roster.disconnect(registration.name, entry.generation, clock.now());
      throw error;
    }
    this.#announce(entry, 'connect');
    this.#tellPresence(entry, true, 'registered');
    for (const listener of this.#registeredListeners) listener(this.#row(entry));
    return entry;
  }

  #disconnected({ registration, generation }: RosterEntry, reason: string): void {
    const entry = this.#roster.disconnect(registration.name, generation, this.#deps.clock.now());
    if (!entry) return;
    this.#announce(entry, 'disconnect');
    this.#tellPresence(entry, false, 'ws_closed');
    this.#append('aspect.disconnected', entry, { reason }).catch((error) =>
      this.#deps.log.warn({ err: error, aspect: registration.name }, 'disconnect not recorded'),
    );
  }

  #tellPresence({ registration }: RosterEntry, connected: boolean, reason: string): void {
    for (const listener of this.#presenceListeners) listener(registration.name, connected, reason);
  }

  #append(kind: string, { registration }: RosterEntry, body: object): Promise<unknown> {
    const { name, session_id } = registration;
    return this.#deps.journal.append({
      kind,
      actor: name,
      body: { sessionId: session_id, ...body },
    });
  }

  #scheduleSweep(): void {
    const { clock, times } = this.#deps;
    this.#cancelSweep = clock.after(times.sweepEveryMs, () => {
      for (const entry of this.#roster.sweep(clock.now())) this.#announce(entry, 'status_change');
      this.#scheduleSweep();
    });
  }

  #announce(entry: RosterEntry, reason: Transition): void {
    const { hub } = this.#deps;
    if (!hub.hasSubscribers('roster')) return;
    const { name: aspect, role: _, ...row } = this.#row(entry);
    const update: RosterUpdate = { aspect, ...row, reason };
    hub.publish('roster', new OutboundFrame(encodeFrame(RosterUpdate.kind, update)));
  }

  #row({ registration, status, lastSeenAt }: RosterEntry): RosterRow {
    const { name, capabilities, model, provider, context_mode } = registration;
    return {
      name,
      status,
      last_seen: new Date(lastSeenAt).toISOString(),
      ...(capabilities && { capabilities }),
      ...(model && { model }),
      provider,
      context_mode,
      ...(name === this.#deps.frameName && { role: 'frame' }),
    };
  }
}
