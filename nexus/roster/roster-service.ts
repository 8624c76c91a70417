import { nameKey } from '#shared/config/names';
import { encodeFrame } from '#shared/frames/envelope';
import { FrameRefused } from '#shared/frames/errors';
import type { OutpostDeregister, OutpostRegister } from '#shared/frames/outpost';
import type { Registration } from '#shared/frames/registration';
import { type RosterRow, RosterUpdate } from '#shared/frames/roster';
import type { Clock } from '#shared/sys/clock';
import type { Log } from '#shared/sys/log';
import { OutboundFrame } from '#shared/transport/frame-batch';
import type { Connection } from '../broker/connection.ts';
import type { Hub, Route } from '../broker/hub.ts';
import type { Journal } from '../journal/journal.ts';
import { type Link, Roster, type RosterEntry, type RosterTimes } from './roster.ts';

/** What `register.ack` announces. An open socket is liveness; only REST aspects send heartbeats. */
export const heartbeatIntervalS = 10;

export interface RosterServiceDeps {
  readonly journal: Journal;
  readonly hub: Hub;
  readonly clock: Clock;
  readonly log: Log;
  readonly times: RosterTimes & {
    readonly sweepEveryMs: number;
    /** How long the holder of a name may take to show a sign of life when another wants it. */
    readonly probeWithinMs: number;
  };
  /** The coordinator's name, shown as role `frame`. */
  readonly frameName?: string | undefined;
  /** Names that may not register, whoever asks. */
  readonly isRetired?: (name: string) => boolean;
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
    await this.#record(registration, { connected: false });
  }

  /**
   * Registers over a socket and, once that is on disk, binds the name to it. A holder of the name
   * that is in the way is asked for a sign of life first, and evicted when it gives none (G3). An
   * older socket of the same session is closed with 4001. Returns undefined when the socket ended
   * meanwhile.
   */
  async connect(
    registration: Registration,
    connection: Connection,
    live: boolean,
  ): Promise<Route | undefined> {
    const link = { connected: true, outpost: connection.outpostId };
    const entry = await this.#record(registration, link).catch(async (error) => {
      if (!isConflict(error) || !(await this.#evictIfDead(registration.name))) throw error;
      return this.#record(registration, link);
    });
    return this.#bind(entry, connection, live);
  }

  /** The connection carries a whole host from now on. */
  async outpostCame(connection: Connection, outpost: OutpostRegister): Promise<void> {
    const { outpost_id: outpostId, host, version } = outpost;
    connection.outpostId = outpostId;
    const actor = connection.identity.name;
    const body = { outpostId, host, version };
    await this.#deps.journal.append({ kind: 'outpost.registered', actor, body });
  }

  /** It is about to close; its aspects leave with it. */
  async outpostLeaves(connection: Connection, { outpost_id, reason }: OutpostDeregister) {
    const body = { outpostId: outpost_id, reason };
    const actor = connection.identity.name;
    await this.#deps.journal.append({ kind: 'outpost.deregistered', actor, body });
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
    try {
      await this.#append('aspect.deregistered', entry, { reason });
    } finally {
      this.#announce({ ...entry, status: 'down' }, 'disconnect');
      this.#tellPresence(entry, false, reason);
    }
  }

  /** Records which program will run an aspect from now on. Resolves with the one before. */
  async switchSurface(name: string, surface: string): Promise<string | undefined> {
    const entry = this.#roster.find(name);
    if (!entry) throw new FrameRefused('not_registered', `${name} is not registered`);
    const previous = entry.registration.primary_surface;
    const body = { primarySurface: surface, ...(previous && { previousSurface: previous }) };
    await this.#append('aspect.surface_switched', entry, body);
    this.#roster.switchSurface(name, surface);
    return previous;
  }

  /** Takes out whoever was retired, also what came in without a socket or through an Outpost. */
  dropRetired(): void {
    for (const { registration } of this.list()) {
      const { name, session_id } = registration;
      if (!this.#deps.isRetired?.(name)) continue;
      this.deregister(name, session_id, 'retired').catch((error) =>
        this.#deps.log.warn({ err: error, aspect: name }, 'leaving not recorded'),
      );
    }
  }

  close(): void {
    this.#cancelSweep();
  }

  async #record(registration: Registration, link: Link): Promise<RosterEntry> {
    const { clock, isRetired } = this.#deps;
    if (isRetired?.(registration.name)) {
      throw new FrameRefused('forbidden', `${registration.name} is retired`);
    }
    const before = this.#roster.find(registration.name);
    const entry = this.#roster.register(registration, clock.now(), link);
    const { provider, model, context_mode: contextMode } = registration;
    try {
      await this.#append('aspect.registered', entry, { provider, model, contextMode, ...link });
    } catch (error) {
      this.#roster.undo(entry, before);
      throw error;
    }
    this.#announce(entry, 'connect');
    this.#tellPresence(entry, true, 'registered');
    for (const listener of this.#registeredListeners) listener(this.#row(entry));
    return entry;
  }

  #bind(entry: RosterEntry, connection: Connection, live: boolean): Route | undefined {
    const { hub } = this.#deps;
    const { name } = entry.registration;
    let route: Route | undefined;
    const ended = (reason: string) => {
      if (route) hub.unbind(route);
      this.#disconnected(entry, reason);
    };
    connection.onClose(ended, `registration of ${nameKey(name)}`);
    if (!connection.isOpen || this.#deps.isRetired?.(name)) return undefined;
    const older = hub.find(name);
    route = hub.bind(name, connection, live);
    // An Outpost's socket carries others too, who stay.
    if (older && older.connection !== connection && older.connection.outpostId === undefined) {
      older.connection.close(4001, `${name} registered again on another connection`);
    }
    return route;
  }

  /** True once the connection that holds the name has ended for want of a sign of life. */
  async #evictIfDead(name: string): Promise<boolean> {
    const { hub, clock, times, log } = this.#deps;
    const holder = hub.find(name)?.connection;
    if (!holder) return false;
    const alive = await within(clock, times.probeWithinMs, holder.probe());
    if (alive) return false;
    log.warn({ aspect: name, connection: holder.id }, 'evicted: another session asks for the name');
    const ended = new Promise<void>((resolve) => holder.onClose(() => resolve(), resolve));
    holder.terminate();
    await ended;
    return true;
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
    const { name: aspect, role: _, outpost: __, ...row } = this.#row(entry);
    const update: RosterUpdate = { aspect, ...row, reason };
    hub.publish('roster', new OutboundFrame(encodeFrame(RosterUpdate.kind, update)));
  }

  #row({ registration, status, lastSeenAt, outpost }: RosterEntry): RosterRow {
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
      ...(outpost && { outpost }),
    };
  }
}

const isConflict = (error: unknown): boolean =>
  error instanceof FrameRefused && error.code === 'conflict';

/** Whether a promise settles in time. */
function within(clock: Clock, ms: number, promise: Promise<unknown>): Promise<boolean> {
  return new Promise((resolve) => {
    const cancel = clock.after(ms, () => resolve(false));
    void promise.then(() => {
      cancel();
      resolve(true);
    });
  });
}
