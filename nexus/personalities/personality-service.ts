import { type Documents, documentNames } from '#shared/config/personality';
import { FrameRefused } from '#shared/frames/errors';
import type { Journal } from '../journal/journal.ts';
import {
  type CentralChanged,
  centralChanged,
  type PersonalityChanged,
  personalityChanged,
} from './events.ts';
import type { Central, Personality } from './personality.ts';
import type { PersonalityStore } from './personality-store.ts';
import { Unsettled } from './unsettled.ts';

/**
 * Bytes of a personality as JSON, and of the central document: so much may a request have. Both,
 * with the composed text, fit one frame (1 MiB).
 */
export const maxPersonalityBytes = 256 * 1024;

export interface PersonalityServiceDeps {
  readonly journal: Journal;
  readonly store: PersonalityStore;
  /** A known aspect's name as its owner spells it. */
  findName(name: string): string | undefined;
}

/** What a write came to; both versions are the same when it changed nothing. */
export interface VersionChange {
  readonly oldVersion: number;
  readonly newVersion: number;
}

/** What aspects are told to be, and what all of them read first. */
export class PersonalityService {
  readonly #deps: PersonalityServiceDeps;
  readonly #personalities = new Unsettled<Personality>();
  readonly #central = new Unsettled<Central>();

  constructor(deps: PersonalityServiceDeps) {
    this.#deps = deps;
  }

  /** A name as its owner spells it. Throws `FrameRefused` with `not_found`. */
  knownName(name: string): string {
    const known = this.#deps.findName(name);
    if (known === undefined) throw new FrameRefused('not_found', 'unknown aspect');
    return known;
  }

  /** A known aspect's personality, or one of the earlier ones that are kept. */
  personality(aspect: string, version?: number): Personality {
    const { store } = this.#deps;
    const current = store.personality(aspect);
    if (version === undefined || version === current.version) return current;
    return store.findEarlier(aspect, version) ?? notKept(`version ${version} of ${aspect}`);
  }

  central(version?: number): Central {
    const { store } = this.#deps;
    const current = store.central();
    if (version === undefined || version === current.version) return current;
    return store.findEarlierCentral(version) ?? notKept(`version ${version} of nexus-md`);
  }

  /**
   * Changes a known aspect's documents, those that are given. What changes nothing is no version.
   * Throws `FrameRefused`: `conflict` when it is not at `ifVersion`, `too_large`.
   */
  async change(
    actor: string,
    aspect: string,
    change: Partial<Documents>,
    ifVersion?: number,
  ): Promise<VersionChange> {
    const unsettled = this.#personalities.find(aspect);
    const before = unsettled?.state ?? this.#deps.store.personality(aspect);
    assertVersion(aspect, ifVersion, before.version);
    const documents = { ...before.documents, ...change };
    assertFits(documents);
    const changed = documentNames.filter((name) => documents[name] !== before.documents[name]);
    const { version: oldVersion } = before;
    if (changed.length === 0) {
      await unsettled?.settled;
      return { oldVersion, newVersion: oldVersion };
    }
    const version = oldVersion + 1;
    const texts = Object.fromEntries(changed.map((name) => [name, documents[name]]));
    const body: PersonalityChanged['body'] = { aspect, version, ...texts };
    const write = this.#deps.journal.append({ kind: personalityChanged, actor, body });
    await this.#personalities.add(aspect, { documents, version }, write);
    return { oldVersion, newVersion: version };
  }

  /** Changes the central document; as `change`. */
  async changeCentral(actor: string, nexusMd: string, ifVersion?: number): Promise<VersionChange> {
    const unsettled = this.#central.find('');
    const before = unsettled?.state ?? this.#deps.store.central();
    assertVersion('nexus-md', ifVersion, before.version);
    assertFits({ nexusMd });
    const { version: oldVersion } = before;
    if (before.nexusMd === nexusMd) {
      await unsettled?.settled;
      return { oldVersion, newVersion: oldVersion };
    }
    const version = oldVersion + 1;
    const body: CentralChanged['body'] = { nexusMd, version };
    const write = this.#deps.journal.append({ kind: centralChanged, actor, body });
    await this.#central.add('', { nexusMd, version }, write);
    return { oldVersion, newVersion: version };
  }
}

function notKept(what: string): never {
  throw new FrameRefused('not_found', `${what} is not kept`);
}

function assertVersion(what: string, expected: number | undefined, version: number): void {
  if (expected === undefined || expected === version) return;
  const message = `${what} is at version ${version}, not ${expected}; read it again`;
  throw new FrameRefused('conflict', message);
}

function assertFits(documents: Partial<Documents>): void {
  // Member names are as long on the wire, give or take a few bytes that the frame has to spare.
  const bytes = Buffer.byteLength(JSON.stringify(Object.values(documents)));
  if (bytes <= maxPersonalityBytes) return;
  const message = `the documents have ${bytes} bytes as JSON; ${maxPersonalityBytes} are allowed`;
  throw new FrameRefused('too_large', message);
}
