import { FrameRefused } from '#shared/frames/errors';
import type { Journal } from '../../journal/journal.ts';
import type { AccessLog } from '../access/access-log.ts';
import { denialOf } from '../access/access-rules.ts';
import { type AccessEntry, type McpProfileSet, mcpProfileSet } from '../events.ts';
import type { Bundle } from '../kinds.ts';
import type { Vault } from '../vault.ts';
import type { VaultStore } from '../vault-store.ts';
import { type Placeholder, placeholdersIn, substitute } from './placeholders.ts';
import type { ProfileStore } from './profile-store.ts';

/** Bytes of a profile as it is stored. */
export const maxProfileBytes = 256 * 1024;
/** Bytes of one with its secrets in. */
const maxResolvedBytes = 1024 * 1024;

export interface McpProfilesDeps {
  readonly journal: Journal;
  readonly profiles: ProfileStore;
  readonly credentials: VaultStore;
  readonly vault: Vault;
  readonly log: AccessLog;
}

/** The aspects' MCP profiles: JSON in which placeholders stand for secrets (auth spec §10.6). */
export class McpProfiles {
  readonly #deps: McpProfilesDeps;

  constructor(deps: McpProfilesDeps) {
    this.#deps = deps;
  }

  /** As it is stored; empty when there is none. */
  find(aspect: string): string {
    return this.#deps.profiles.find(aspect) ?? '';
  }

  /** Throws `FrameRefused` for what is no JSON, is too long, or has a malformed placeholder. */
  async set(aspect: string, profile: string, by: string): Promise<void> {
    if (Buffer.byteLength(profile) > maxProfileBytes) {
      throw new FrameRefused('too_large', `a profile may have ${maxProfileBytes} bytes`);
    }
    placeholdersIn(profile);
    const body: McpProfileSet['body'] = { aspect, profile };
    await this.#deps.journal.append({ kind: mcpProfileSet, actor: by, body });
  }

  /**
   * The profile with its secrets in, for the aspect alone, and never stored; empty when there is
   * none. Resolves once it is recorded what it was given. All or nothing: throws `FrameRefused`
   * when the aspect may not have one of them, and records that instead.
   */
  async resolve(aspect: string): Promise<string> {
    const profile = this.find(aspect);
    if (profile === '') return '';
    const wanted = distinct(placeholdersIn(profile));
    const resolved = this.#resolveAll(aspect, wanted);
    const values = new Map(resolved.map((each) => [keyOf(each), each.value]));
    const text = substitute(profile, (placeholder) => values.get(keyOf(placeholder)) ?? '');
    const isTooLong = Buffer.byteLength(text) > maxResolvedBytes;
    const refused = isTooLong
      ? resolved.map((each) => ({ ...each, problem: tooLong }))
      : resolved.filter(({ problem }) => problem !== undefined);
    const told = refused.length > 0 ? refused : resolved;
    const action = refused.length > 0 ? 'denied' : 'fetch';
    const entries = told.map((each) => entryOf(aspect, each));
    if (entries.length > 0) await this.#deps.log.record(aspect, action, entries);
    const [first] = refused;
    if (!first) return text;
    const { words, cause } = first.problem ?? tooLong;
    const message = `the MCP profile of ${aspect}: ${words}`;
    throw new FrameRefused(isTooLong ? 'too_large' : 'not_found', message, { cause });
  }

  #resolveAll(aspect: string, wanted: readonly Placeholder[]): Resolved[] {
    const opened = new Map<string, Opened>();
    return wanted.map((placeholder) => {
      const { credential, field } = placeholder;
      const each = opened.get(credential) ?? this.#open(aspect, credential);
      opened.set(credential, each);
      if ('problem' in each) return { ...placeholder, ...each };
      const value = Object.hasOwn(each.bundle, field) ? each.bundle[field] : undefined;
      if (typeof value === 'string') return { ...placeholder, value };
      const words = `credential "${credential}" has no text "${field}"`;
      return { ...placeholder, problem: { reason: 'unknown_field', words } };
    });
  }

  #open(aspect: string, name: string): Opened {
    const { credentials, vault } = this.#deps;
    const stored = credentials.find(name);
    const denial = denialOf(stored, aspect);
    if (denial === 'proxy_only') {
      const words = `credential "${name}" is not to be handed out (mode=proxy)`;
      return { problem: { reason: denial, words } };
    }
    if (!stored || denial !== undefined) {
      const words = `no credential "${name}" is stored for ${aspect}`;
      return { problem: { reason: denial ?? 'unknown', words } };
    }
    try {
      return { bundle: vault.open(stored) };
    } catch (cause) {
      const words = `credential "${name}" cannot be opened`;
      return { problem: { reason: 'unreadable', words, cause } };
    }
  }
}

/** Why a placeholder stays empty: for the record, and for people. */
interface Problem {
  readonly reason: string;
  readonly words: string;
  readonly cause?: unknown;
}

const tooLong: Problem = {
  reason: 'too_large',
  words: `it has more than ${maxResolvedBytes} bytes with its secrets in`,
};

type Opened = { readonly bundle: Bundle } | { readonly problem: Problem };

interface Resolved extends Placeholder {
  readonly value?: string;
  readonly problem?: Problem;
}

const keyOf = ({ credential, field }: Placeholder): string => JSON.stringify([credential, field]);

const distinct = (placeholders: readonly Placeholder[]): Placeholder[] => [
  ...new Map(placeholders.map((each) => [keyOf(each), each])).values(),
];

const entryOf = (aspect: string, { credential, field, problem }: Resolved): AccessEntry => ({
  name: credential,
  details: {
    via: 'mcp_profile_substitute',
    profile_aspect: aspect,
    credential,
    field,
    ...(problem && { reason: problem.reason }),
  },
});
