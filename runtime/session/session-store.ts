import { readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '#shared/sys/clock';
import { syncFolder } from '#shared/sys/folders';
import type { NewId } from '#shared/sys/ids';
import type { Log } from '#shared/sys/log';
import { FileLock } from './file-lock.ts';
import type { JsonlLogOptions } from './jsonl-log.ts';
import { createFolder } from './log-file.ts';
import { SessionGate } from './session-gate.ts';
import { isReapable, logPathOf, type SessionKey } from './session-key.ts';
import { SessionTree, type SessionTreeDeps } from './session-tree.ts';

export interface SessionLimits {
  /** Sessions whose turns run at the same time. */
  parallelSessions: number;
  /** Trees held open; at least `parallelSessions`. Past it the least recently used is closed. */
  maxOpenSessions: number;
  /** Turns that wait for their session. */
  maxWaiting: number;
  /** A thread's tree that was not used for this long is closed by the sweep. */
  idleReapMs: number;
  sweepMs: number;
}

export const defaultSessionLimits: SessionLimits = {
  parallelSessions: 4,
  maxOpenSessions: 64,
  maxWaiting: 1024,
  idleReapMs: 1_800_000,
  sweepMs: 300_000,
};

export interface SessionStoreDeps {
  aspect: string;
  clock: Clock;
  newId: NewId;
  log: Log;
  limits?: Partial<SessionLimits>;
  storage?: JsonlLogOptions;
  /** Told when the sweep has closed an idle thread. */
  onReaped?: (key: SessionKey) => void;
}

interface OpenTree {
  readonly tree: SessionTree;
  /** Monotonic, so that a step of the wall clock reaps nobody (§4). */
  lastActivity: number;
}

/**
 * The sessions of one home folder. Turns on one session are strictly serial, in the order in which
 * they were asked for; different sessions run in parallel. Closing a tree loses nothing: its next
 * turn reads it back from disk.
 */
export class SessionStore {
  readonly #folder: string;
  readonly #lock: FileLock;
  readonly #deps: SessionStoreDeps;
  readonly #limits: SessionLimits;
  readonly #gate: SessionGate;
  /** Least recently used first. */
  readonly #open = new Map<SessionKey, OpenTree>();
  readonly #closing = new Map<SessionKey, Promise<void>>();
  readonly #turns = new Set<Promise<unknown>>();
  #opening = 0;
  #stateless = 0;
  #cancelSweep: () => void = () => undefined;
  #closed: Promise<void> | undefined;

  private constructor(folder: string, lock: FileLock, deps: SessionStoreDeps) {
    const limits = { ...defaultSessionLimits, ...deps.limits };
    limits.maxOpenSessions = Math.max(limits.maxOpenSessions, limits.parallelSessions);
    this.#folder = folder;
    this.#lock = lock;
    this.#deps = deps;
    this.#limits = limits;
    this.#gate = new SessionGate({
      maxRunning: limits.parallelSessions,
      maxWaiting: limits.maxWaiting,
    });
    this.#scheduleSweep();
  }

  /**
   * Takes the home's sessions. Throws `session.locked` when another process has them.
   *
   * One lock for the whole folder: an aspect is one process, so two openers are a mistake whichever
   * file they want, and opening a thread costs no extra files.
   */
  static async open(home: string, deps: SessionStoreDeps): Promise<SessionStore> {
    const folder = join(home, 'session');
    await createFolder(folder);
    const lock = await FileLock.acquire(join(folder, 'lock'));
    return new SessionStore(folder, lock, deps);
  }

  /** How many trees are open. */
  get openSessions(): number {
    return this.#open.size;
  }

  /**
   * Runs `fn` with the session's tree when it is its turn; each stateless call has a fresh tree of
   * its own. `fn` must not keep the tree, nor ask for its own session again: that never comes.
   * Rejects with what `fn` throws, `session.busy`, `session.closed`, or why the tree did not open.
   */
  async withSession<T>(key: SessionKey, fn: (tree: SessionTree) => Promise<T>): Promise<T> {
    const place = key === 'stateless' ? `stateless:${this.#stateless++}` : key;
    const turn = this.#gate
      .enter(place)
      .then(() => this.#runTurn(key, fn).finally(() => this.#gate.leave(place)));
    this.#turns.add(turn);
    try {
      return await turn;
    } finally {
      this.#turns.delete(turn);
    }
  }

  /** Closes threads that were idle for `idleReapMs`. Runs by itself every `sweepMs`. */
  async sweep(): Promise<void> {
    const idleSince = this.#deps.clock.monotonic() - this.#limits.idleReapMs;
    const idle = [...this.#open].filter(
      ([key, { lastActivity }]) =>
        isReapable(key) && !this.#gate.isBusy(key) && lastActivity <= idleSince,
    );
    await Promise.all(
      idle.map(async ([key]) => {
        await this.#closeTree(key);
        this.#deps.onReaped?.(key);
      }),
    );
  }

  /**
   * Moves every session's files into a folder of their own below `session/` and returns its path:
   * all keys begin anew. Only while no turn is running or waiting.
   */
  async setAside(name: string): Promise<string> {
    await Promise.all([...this.#open.keys()].map((key) => this.#closeTree(key)));
    await Promise.all(this.#closing.values());
    const target = join(this.#folder, name);
    await createFolder(target);
    for (const entry of await readdir(this.#folder, { withFileTypes: true })) {
      const isSession = entry.name === 'threads' || entry.name.startsWith('global.');
      if (isSession) await rename(join(this.#folder, entry.name), join(target, entry.name));
    }
    await syncFolder(this.#folder);
    return target;
  }

  /** Refuses what waits, lets running turns finish, closes all trees. Safe to call twice. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #runTurn<T>(key: SessionKey, fn: (tree: SessionTree) => Promise<T>): Promise<T> {
    const path = logPathOf(this.#folder, key);
    if (path === undefined) {
      const tree = await SessionTree.inMemory(this.#treeDeps(key));
      try {
        return await fn(tree);
      } finally {
        await tree.close();
      }
    }
    const open = this.#open.get(key) ?? (await this.#openTree(key, path));
    try {
      return await fn(open.tree);
    } finally {
      open.lastActivity = this.#deps.clock.monotonic();
      // Most recently used goes last.
      this.#open.delete(key);
      this.#open.set(key, open);
    }
  }

  async #openTree(key: SessionKey, path: string): Promise<OpenTree> {
    this.#opening++;
    try {
      await this.#closing.get(key);
      while (this.#open.size + this.#opening > this.#limits.maxOpenSessions) {
        const idle = [...this.#open.keys()].find((each) => !this.#gate.isRunning(each));
        if (idle === undefined) break;
        await this.#closeTree(idle);
      }
      const tree = await SessionTree.open(path, this.#treeDeps(key));
      const open = { tree, lastActivity: this.#deps.clock.monotonic() };
      this.#open.set(key, open);
      return open;
    } finally {
      this.#opening--;
    }
  }

  #treeDeps(key: SessionKey): SessionTreeDeps {
    return { ...this.#deps, key };
  }

  /** Never rejects: what cannot be saved now is rebuilt from the log at the next open. */
  async #closeTree(key: SessionKey): Promise<void> {
    const open = this.#open.get(key);
    if (!open) return this.#closing.get(key);
    this.#open.delete(key);
    const closing = open.tree
      .close()
      .catch((err) => this.#deps.log.warn({ err, key }, 'session did not close cleanly'))
      .finally(() => this.#closing.delete(key));
    this.#closing.set(key, closing);
    return closing;
  }

  #scheduleSweep(): void {
    this.#cancelSweep = this.#deps.clock.after(this.#limits.sweepMs, () => {
      this.#scheduleSweep();
      void this.sweep();
    });
  }

  async #close(): Promise<void> {
    this.#cancelSweep();
    this.#gate.close();
    await Promise.allSettled(this.#turns);
    await Promise.all([...this.#open.keys()].map((key) => this.#closeTree(key)));
    await Promise.all(this.#closing.values());
    await this.#lock.release();
  }
}
