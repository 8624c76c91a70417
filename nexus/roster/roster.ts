import { nameKey } from '#shared/config/names';
import { FrameRefused } from '#shared/frames/errors';
import type { Registration } from '#shared/frames/registration';
import type { AspectStatus } from '#shared/frames/roster';

/** One registered aspect. Times are milliseconds since the epoch. */
export interface RosterEntry {
  readonly registration: Registration;
  readonly status: AspectStatus;
  readonly lastSeenAt: number;
  /** True while a socket is bound to it: an open socket counts as alive. */
  readonly connected: boolean;
  /** The Outpost it came through, if it did. */
  readonly outpost?: string | undefined;
  /** Counts registrations, so that the end of an older one cannot touch a newer one (G3). */
  readonly generation: number;
}

/** How a registration is connected. */
export type Link = Pick<RosterEntry, 'connected' | 'outpost'>;

export interface RosterTimes {
  /** Without a sign of life for longer than this an aspect is `stale`, for twice this `down`. */
  readonly staleAfterMs: number;
  /** How long an aspect that is `down` stays visible. */
  readonly forgetAfterMs: number;
}

/** What the roster holds at most. */
const maxEntries = 4_096;

/** Who is registered and how alive they are. Bookkeeping only: no clock, no sockets. */
export class Roster {
  readonly #times: RosterTimes;
  readonly #entries = new Map<string, RosterEntry>();
  #generation = 0;

  constructor(times: RosterTimes) {
    this.#times = times;
  }

  /** Every entry, by name. */
  list(): RosterEntry[] {
    return [...this.#entries.values()].sort((a, b) =>
      a.registration.name < b.registration.name ? -1 : 1,
    );
  }

  find(name: string): RosterEntry | undefined {
    return this.#entries.get(nameKey(name));
  }

  /**
   * Takes a registration in (wire spec §1.8). The same session replaces its entry; another session
   * displaces one that is not live. Throws `FrameRefused` with `conflict` otherwise.
   *
   * Without a socket, a session that has one keeps it: only what it says of itself changes.
   */
  register(registration: Registration, now: number, link: Link): RosterEntry {
    const { name, session_id, port } = registration;
    const present = this.find(name);
    const own = present?.registration.session_id === session_id;
    if (present?.status === 'live' && !own) {
      throw new FrameRefused('conflict', `${name} is already registered by another live session`);
    }
    const holder = port ? this.#liveHolderOf(port, name) : undefined;
    if (holder) throw new FrameRefused('conflict', `port ${port} belongs to ${holder}`);
    if (!present && this.#entries.size >= maxEntries) {
      throw new FrameRefused('too_large', `the roster may have ${maxEntries} entries`);
    }
    const seen = { registration, status: 'live', lastSeenAt: now } as const;
    if (own && present.connected && !link.connected) return this.#put({ ...present, ...seen });
    return this.#put({ ...seen, ...link, generation: ++this.#generation });
  }

  /** Takes a registration back that could not be recorded, unless a newer one has come. */
  undo(registered: RosterEntry, before: RosterEntry | undefined): void {
    const { name } = registered.registration;
    if (this.find(name) !== registered) return;
    if (before) this.#put(before);
    else this.#entries.delete(nameKey(name));
  }

  /** A sign of life. Throws `FrameRefused` when the name or the session is not registered. */
  heartbeat(name: string, sessionId: string, now: number): RosterEntry {
    const entry = this.#ownedBy(name, sessionId);
    if (!entry) throw new FrameRefused('not_found', `${name} is not registered`);
    return this.#put({ ...entry, status: 'live', lastSeenAt: now });
  }

  /** Removes an entry and returns it; nothing to do when the name is absent. */
  deregister(name: string, sessionId: string): RosterEntry | undefined {
    const entry = this.#ownedBy(name, sessionId);
    if (entry) this.#entries.delete(nameKey(name));
    return entry;
  }

  /** The socket of a registration ended. Returns the entry, now `down`, unless it was replaced. */
  disconnect(name: string, generation: number, now: number): RosterEntry | undefined {
    const entry = this.find(name);
    if (entry?.generation !== generation) return undefined;
    return this.#put({ ...entry, status: 'down', lastSeenAt: now, connected: false });
  }

  /** Another program will run the aspect; nothing to do when the name is absent. */
  switchSurface(name: string, surface: string): void {
    const entry = this.find(name);
    if (!entry) return;
    this.#put({ ...entry, registration: { ...entry.registration, primary_surface: surface } });
  }

  /** Lets time pass. Returns the entries whose status changed. */
  sweep(now: number): RosterEntry[] {
    const changed: RosterEntry[] = [];
    for (const [key, entry] of this.#entries) {
      if (entry.connected) {
        this.#put({ ...entry, lastSeenAt: now });
        continue;
      }
      const silentMs = now - entry.lastSeenAt;
      if (entry.status === 'down' && silentMs > this.#times.forgetAfterMs)
        this.#entries.delete(key);
      const status = this.#statusAfter(entry, silentMs);
      if (status !== entry.status) changed.push(this.#put({ ...entry, status }));
    }
    return changed;
  }

  #statusAfter(entry: RosterEntry, silentMs: number): AspectStatus {
    const { staleAfterMs } = this.#times;
    if (entry.status === 'down' || silentMs > 2 * staleAfterMs) return 'down';
    return silentMs > staleAfterMs ? 'stale' : entry.status;
  }

  #ownedBy(name: string, sessionId: string): RosterEntry | undefined {
    const entry = this.find(name);
    if (entry && entry.registration.session_id !== sessionId) {
      throw new FrameRefused('conflict', `${name} is registered by another session`);
    }
    return entry;
  }

  #liveHolderOf(port: number, exceptName: string): string | undefined {
    for (const { registration, status } of this.#entries.values()) {
      const other = nameKey(registration.name) !== nameKey(exceptName);
      if (other && status === 'live' && registration.port === port) return registration.name;
    }
    return undefined;
  }

  #put(entry: RosterEntry): RosterEntry {
    this.#entries.set(nameKey(entry.registration.name), entry);
    return entry;
  }
}
