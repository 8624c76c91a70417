import type { CredentialKind } from '#shared/frames/credentials';
import { FrameRefused } from '#shared/frames/errors';

/** What a credential consists of. Members beyond those of its kind are kept. */
export type Bundle = Readonly<Record<string, unknown>>;

/** How a credential may be used: by the broker in an aspect's place, handed out, or either. */
export const credentialModes = ['proxy', 'fetch', 'both'] as const;
export type CredentialMode = (typeof credentialModes)[number];

/** What an API provider speaks. */
export const apiShapes = ['anthropic', 'openai'] as const;

/** Bytes of a bundle as JSON: its frame stays below the 64 KiB that the reference's clients read. */
export const maxBundleBytes = 60 * 1024;
const maxDepth = 16;

interface KindRules {
  /** Members that must be texts, and not blank. */
  readonly required: readonly string[];
  /** What other members must be, when they are there. */
  readonly optional: Readonly<Record<string, 'text' | 'port' | 'boolean'>>;
  /** Members that are no secrets. Every other text is. */
  readonly open: readonly string[];
  /** Nothing stands in between for mail and tickets: only handing out makes them usable. */
  readonly mode: CredentialMode;
}

/** One row a kind (auth spec §10.1). */
export const kindRules: Readonly<Record<CredentialKind, KindRules>> = {
  provider: {
    required: ['api_shape', 'base_url', 'key'],
    optional: { default_model: 'text' },
    open: ['api_shape', 'base_url', 'default_model'],
    mode: 'proxy',
  },
  jira: {
    required: ['atlassian_email', 'atlassian_token', 'atlassian_subdomain'],
    optional: {},
    open: ['atlassian_email', 'atlassian_subdomain'],
    mode: 'fetch',
  },
  imap: {
    required: ['host', 'user', 'password'],
    optional: { port: 'port', ssl: 'boolean' },
    open: ['host', 'user'],
    mode: 'fetch',
  },
};

export const credentialKinds = Object.keys(kindRules) as CredentialKind[];

export const isCredentialKind = (text: string): text is CredentialKind =>
  Object.hasOwn(kindRules, text);

const fits = {
  text: (value: unknown) => typeof value === 'string',
  boolean: (value: unknown) => typeof value === 'boolean',
  port: (value: unknown) => Number.isInteger(value) && Number(value) > 0 && Number(value) < 65_536,
} as const;

/** Throws `FrameRefused` for a bundle that its kind cannot use; the message tells no value. */
export function assertBundle(kind: CredentialKind, bundle: Bundle): void {
  const { required, optional } = kindRules[kind];
  for (const member of required) {
    const value = bundle[member];
    if (typeof value !== 'string' || value.trim() === '') {
      throw badBundle(`a ${kind} credential needs "${member}", a text that is not blank`);
    }
  }
  for (const [member, what] of Object.entries(optional)) {
    const value = bundle[member];
    if (value === undefined || fits[what](value)) continue;
    throw badBundle(`"${member}" of a ${kind} credential must be a ${what}`);
  }
  const shape = bundle['api_shape'];
  if (kind === 'provider' && !apiShapes.some((each) => each === shape)) {
    throw badBundle(`"api_shape" must be one of: ${apiShapes.join(', ')}`);
  }
  // Before anything walks it recursively.
  textsIn(bundle, 0);
  if (Buffer.byteLength(JSON.stringify(bundle)) > maxBundleBytes) {
    throw new FrameRefused('too_large', `a bundle may have ${maxBundleBytes} bytes as JSON`);
  }
}

/** Every text in a bundle that must not be seen. */
export function secretsIn(kind: string, bundle: Bundle): string[] {
  const open: readonly string[] = isCredentialKind(kind) ? kindRules[kind].open : [];
  const members = Object.entries(bundle).filter(([member]) => !open.includes(member));
  return members.flatMap(([, value]) => textsIn(value, 1));
}

function textsIn(value: unknown, depth: number): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  if (depth === maxDepth) throw badBundle(`a bundle may be ${maxDepth} levels deep`);
  return Object.values(value).flatMap((each) => textsIn(each, depth + 1));
}

const badBundle = (message: string) => new FrameRefused('bad_request', message);
