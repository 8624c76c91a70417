import { randomBytes } from 'node:crypto';
import { nameKey, nameProblem } from '#shared/config/names';
import { keyBytes } from '#shared/crypto/ed25519-keys';
import { FrameRefused } from '#shared/frames/errors';
import type { Journal } from '../journal/journal.ts';
import type { AspectRecord, AspectStore } from './aspect-store.ts';
import { type AspectEvent, aspectMinted, aspectResurrected, aspectRetired } from './events.ts';

/** Aspects that one instance can have; their records are kept in memory. */
const maxAspects = 10_000;

export interface AspectRegistryDeps {
  readonly journal: Journal;
  readonly store: AspectStore;
  /** A name as the rest of the instance already spells it. */
  readonly findName?: (name: string) => string | undefined;
  readonly limit?: number;
}

/** What a mint is asked for. `provider` and `model` count at the first mint only. */
export interface MintRequest {
  readonly name: string;
  /** Ed25519, 32 bytes. */
  readonly publicKey: Uint8Array;
  readonly provider?: string | undefined;
  readonly model?: string | undefined;
}

/** Which aspects have an identity of their own, which keyfile of theirs counts, who is retired. */
export class AspectRegistry {
  readonly #journal: Journal;
  readonly #store: AspectStore;
  readonly #findName: (name: string) => string | undefined;
  readonly #limit: number;
  readonly #records = new Map<string, AspectRecord>();
  readonly #listeners = new Set<() => void>();
  /** Ends with the change that was asked for last: the next one begins from what it left. */
  #changes: Promise<unknown> = Promise.resolve();

  constructor({ journal, store, findName, limit = maxAspects }: AspectRegistryDeps) {
    this.#journal = journal;
    this.#store = store;
    this.#findName = findName ?? (() => undefined);
    this.#limit = limit;
    this.#load();
    journal.onCommit((events) => {
      if (!events.some(({ kind }) => store.kinds.includes(kind))) return;
      this.#load();
      for (const listener of this.#listeners) listener();
    });
  }

  /** By name, in any case. */
  find(name: string): AspectRecord | undefined {
    return this.#records.get(nameKey(name));
  }

  /** Everybody, by name. */
  list(): AspectRecord[] {
    return [...this.#records.values()];
  }

  isRetired(name: string): boolean {
    return this.find(name)?.status === 'retired';
  }

  /** Calls `listener` after each change, once it is on disk. The returned function ends that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /**
   * Records a new key, and the aspect with it if it is new. The keyfile before it is void. Throws
   * `FrameRefused`: `bad_request` for a name or key that cannot be, `conflict` when retired.
   */
  mint(request: MintRequest, by: string): Promise<{ record: AspectRecord; existed: boolean }> {
    return this.#inTurn(async () => {
      const before = this.find(request.name);
      const name = before?.name ?? this.#newName(request.name);
      if (request.publicKey.length !== keyBytes) {
        throw new FrameRefused('bad_request', `a public key has ${keyBytes} bytes`);
      }
      if (before?.status === 'retired') {
        throw new FrameRefused('conflict', `${name} is retired; resurrect it first`);
      }
      const record = await this.#record(name, by, {
        kind: aspectMinted,
        body: {
          name,
          version: (before?.version ?? 0) + 1,
          publicKey: Buffer.from(request.publicKey).toString('base64'),
          provider: request.provider ?? '',
          model: request.model ?? '',
        },
      });
      return { record, existed: before !== undefined };
    });
  }

  /**
   * Keeps an aspect out, also one that has only tokens. Nothing happens when it already is. Throws
   * `FrameRefused` (`not_found`).
   */
  retire(asked: string, by: string): Promise<AspectRecord> {
    return this.#inTurn(async () => {
      const before = this.find(asked);
      if (before?.status === 'retired') return before;
      const tokenOnly = before ? undefined : this.#findName(asked);
      const name = tokenOnly ?? this.#known(asked).name;
      const body = tokenOnly ? { name, publicKey: placeholderKey() } : { name };
      return this.#record(name, by, { kind: aspectRetired, body });
    });
  }

  /**
   * Takes a retired aspect back, without a keyfile: mint one next. Throws `FrameRefused`:
   * `not_found`, or `conflict` when it is not retired.
   */
  resurrect(asked: string, by: string): Promise<AspectRecord> {
    return this.#inTurn(async () => {
      const { name, status, version } = this.#known(asked);
      if (status !== 'retired') throw new FrameRefused('conflict', `${name} is not retired`);
      const body = { name, version: version + 1, publicKey: placeholderKey() };
      return this.#record(name, by, { kind: aspectResurrected, body });
    });
  }

  #newName(name: string): string {
    const problem = nameProblem(name);
    if (problem) throw new FrameRefused('bad_request', problem);
    if (this.#records.size >= this.#limit) {
      throw new FrameRefused('conflict', `an instance can have ${this.#limit} aspects`);
    }
    return this.#findName(name) ?? name;
  }

  #known(name: string): AspectRecord {
    const record = this.find(name);
    if (record) return record;
    throw new FrameRefused('not_found', `there is no aspect ${name} here`);
  }

  async #record(name: string, by: string, event: AspectEvent): Promise<AspectRecord> {
    await this.#journal.append({ ...event, actor: by });
    return this.#known(name);
  }

  /** One change at a time, each after the one before it is on disk, so that versions count up. */
  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const result = this.#changes.then(change);
    this.#changes = result.catch(() => undefined);
    return result;
  }

  #load(): void {
    this.#records.clear();
    for (const record of this.#store.all()) this.#records.set(nameKey(record.name), record);
  }
}

/** Nobody has the other half of it. */
const placeholderKey = (): string => randomBytes(keyBytes).toString('base64');
