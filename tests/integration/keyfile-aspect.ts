import assert from 'node:assert/strict';
import { newSigningPair, type SigningPair } from '#shared/crypto/ed25519-keys';
import type { Keyfile } from '#shared/crypto/keyfile';
import { makeKeyfile } from '#shared/crypto/keyfile-payload';
import type { TestNexus } from './start-nexus.ts';

/** What a call to the broker's REST side brought. */
export interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
  readonly headers: Headers;
}

/** Calls as whoever has the token; as nobody without one. */
export async function call(
  nexus: TestNexus,
  method: string,
  path: string,
  { token, body }: { token?: string; body?: unknown } = {},
): Promise<Answer> {
  const response = await fetch(`${nexus.url}${path}`, {
    method,
    headers: token ? { authorization: `Bearer ${token}` } : {},
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const json = text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : { text };
  return { status: response.status, body: json, headers: response.headers };
}

export const asOperator = (nexus: TestNexus, path: string, body: object): Promise<Answer> =>
  call(nexus, 'POST', `/api/admin/aspects/${path}`, { token: nexus.operatorToken(), body });

export interface Minted {
  readonly keyfile: Keyfile;
  readonly version: number;
  readonly pair: SigningPair;
}

/** Mints a keyfile through the broker, as the command does. */
export async function mint(nexus: TestNexus, name: string, more: object = {}): Promise<Minted> {
  const pair = newSigningPair();
  const aspect_pubkey_b64 = Buffer.from(pair.publicKey).toString('base64');
  const { status, body } = await asOperator(nexus, 'mint', { name, aspect_pubkey_b64, ...more });
  assert.equal(status, 200, JSON.stringify(body));
  const version = Number(body['keyfile_version']);
  return { keyfile: keyfileFrom(nexus, body, pair), version, pair };
}

function keyfileFrom(nexus: TestNexus, minted: Record<string, unknown>, pair: SigningPair) {
  return makeKeyfile({
    name: String(minted['name']),
    seed: pair.seed,
    version: Number(minted['keyfile_version']),
    nexusId: String(minted['nexus_id']),
    nexusUrl: nexus.url,
    serverPublicKey: Buffer.from(String(minted['server_pubkey_b64']), 'base64'),
    now: Date.now(),
  }).keyfile;
}

export const validate = (nexus: TestNexus, encrypted_payload: unknown): Promise<Answer> =>
  call(nexus, 'POST', '/api/aspect/validate', { body: { encrypted_payload } });

/** A session token for a keyfile. */
export async function sessionOf(nexus: TestNexus, keyfile: Keyfile): Promise<string> {
  const { status, body } = await validate(nexus, keyfile.encrypted_payload);
  assert.equal(status, 200, JSON.stringify(body));
  return String(body['session_jwt']);
}
