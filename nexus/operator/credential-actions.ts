import type { CredentialKind } from '#shared/frames/credentials';
import { credentialUses } from '../vault/events.ts';
import type { CredentialMode } from '../vault/kinds.ts';
import type { BrokerAccess } from './broker-access.ts';
import { readBundle } from './bundle-input.ts';
import {
  type AuditFacts,
  accessTable,
  type CredentialFacts,
  credentialCard,
  credentialTable,
  memberTable,
} from './credential-view.ts';
import type { Terminal } from './hidden-prompt.ts';
import { callBroker } from './rest-client.ts';

/** What the operator asks of the vault. */
export interface CredentialWish {
  /** A credential's name, or an aspect's. */
  readonly name: string;
  readonly kind?: CredentialKind | undefined;
  readonly file?: string | undefined;
  readonly mode?: CredentialMode | undefined;
  /** Names, separated by commas. */
  readonly allow?: string | undefined;
  readonly description?: string | undefined;
  readonly limit: number;
  readonly anthropic?: string | undefined;
  readonly openai?: string | undefined;
  readonly jira?: string | undefined;
  readonly imap?: string | undefined;
  readonly terminal: Terminal & { readonly input: { readonly isTTY?: boolean } };
}

/** What came of it, for programs and for people. No secret is in it. */
export interface CredentialOutcome {
  readonly json: object;
  readonly text: string;
}

type Action = (broker: BrokerAccess, wish: CredentialWish) => Promise<CredentialOutcome>;

/** The verbs of `nexus credential`. All go through the running broker. */
export const credentialActions = {
  set,
  get: async (broker, { name }) => card(await callBroker(broker, 'GET', pathOf(name))),
  list,
  delete: remove,
  audit,
  'rotate-key': rotateKey,
  'aspect-default': aspectDefault,
} as const satisfies Record<string, Action>;

export type CredentialVerb = keyof typeof credentialActions;

async function set(broker: BrokerAccess, wish: CredentialWish): Promise<CredentialOutcome> {
  const { name, kind, file, mode, description, terminal } = wish;
  const allowed = wish.allow?.split(',').flatMap((each) => each.trim() || []);
  const facts = { kind, mode, description, allowed_aspects: allowed };
  const changesFacts = Object.values(facts).some((fact) => fact !== undefined);
  const keepsBundle = kind === undefined && file === undefined && changesFacts;
  const bundle = keepsBundle ? undefined : await readBundle({ file, kind, terminal });
  const { json, text } = card(await callBroker(broker, 'PUT', pathOf(name), { ...facts, bundle }));
  if (json.allowed_aspects.length > 0) return { json, text };
  const hint = 'nobody may have it yet: nexus credential set NAME --allow ASPECT';
  return { json, text: `${text}\n${hint}` };
}

async function list(broker: BrokerAccess, { kind }: CredentialWish): Promise<CredentialOutcome> {
  const path = `/api/admin/credentials?kind=${kind ?? ''}`;
  const { credentials } = await callBroker(broker, 'GET', path);
  const rows = credentials as CredentialFacts[];
  return { json: rows, text: credentialTable(rows) };
}

async function remove(broker: BrokerAccess, { name }: CredentialWish): Promise<CredentialOutcome> {
  await callBroker(broker, 'DELETE', pathOf(name));
  return { json: { deleted: name }, text: `${name} is deleted; its audit stays` };
}

async function audit(
  broker: BrokerAccess,
  { name, limit }: CredentialWish,
): Promise<CredentialOutcome> {
  const answer = await callBroker(broker, 'GET', `${pathOf(name)}/audit?limit=${limit}`);
  const rows = answer['audit'] as AuditFacts[];
  return { json: rows, text: accessTable(rows) };
}

async function rotateKey(broker: BrokerAccess): Promise<CredentialOutcome> {
  const json = await callBroker(broker, 'POST', '/api/admin/vault/rotate-key');
  const done = `${json['credentials']} credentials are sealed with the new key ${json['key_id']}`;
  const left = '; the old one could not be removed: restart the broker';
  return { json, text: json['old_key_removed'] === true ? done : done + left };
}

async function aspectDefault(
  broker: BrokerAccess,
  wish: CredentialWish,
): Promise<CredentialOutcome> {
  const path = `/api/admin/aspects/${encodeURIComponent(wish.name)}/credential-defaults`;
  const named = credentialUses.filter((use) => wish[use] !== undefined);
  const changes = named.map((use) => [`default_${use}_credential`, wish[use]]);
  const json =
    named.length > 0
      ? await callBroker(broker, 'PUT', path, Object.fromEntries(changes))
      : await callBroker(broker, 'GET', path);
  return { json, text: memberTable(json) };
}

const pathOf = (name: string): string => `/api/admin/credentials/${encodeURIComponent(name)}`;

function card(answer: Record<string, unknown>): { json: CredentialFacts; text: string } {
  const json = answer as unknown as CredentialFacts;
  return { json, text: credentialCard(json) };
}
