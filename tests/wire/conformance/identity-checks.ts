import assert from 'node:assert/strict';
import { newSigningPair } from '#shared/crypto/ed25519-keys';
import { makeKeyfile } from '#shared/crypto/keyfile-payload';
import { type Check, nexus, reference } from './check.ts';
import { filled, fits, flag, integer, is, object, text, time } from './shape.ts';
import { ask, refused, type Site, Skip } from './site.ts';
import { upgrade } from './upgrade.ts';

const validated = object({
  ok: is(true),
  session_jwt: filled,
  session_expires_at: time,
  personality: object({
    nexus_md: text,
    soul_md: text,
    primer_md: text,
    composed: text,
    version: integer,
    updated_at: text,
  }),
  provider: text,
  model: text,
  central_nexus_md: text,
  central_version: integer,
  'mcp_profile?': text,
});

async function post(site: Site, path: string, body: object, token?: string) {
  const response = await fetch(`${site.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token && bearer(token)) },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

const validate = (site: Site, encrypted_payload: string) =>
  post(site, '/api/aspect/validate', { encrypted_payload });

/** Mints a keyfile for a new name, and returns its payload. */
async function keyfile(site: Site, name: string): Promise<string> {
  const { seed, publicKey } = newSigningPair();
  const aspect_pubkey_b64 = Buffer.from(publicKey).toString('base64');
  const asked = { name, aspect_pubkey_b64 };
  const { status, body } = await post(site, '/api/admin/aspects/mint', asked, site.token);
  if (status !== 200) throw new Skip(`no keyfile to be had: HTTP ${status}`);
  const minted = object({
    name: is(name),
    keyfile_version: integer,
    nexus_id: filled,
    server_pubkey_b64: filled,
    previously_existed: flag,
  });
  fits('mint', body, minted);
  return makeKeyfile({
    name,
    seed,
    version: Number(body['keyfile_version']),
    nexusId: String(body['nexus_id']),
    nexusUrl: site.url,
    serverPublicKey: Buffer.from(String(body['server_pubkey_b64']), 'base64'),
    now: Date.now(),
  }).keyfile.encrypted_payload;
}

async function session(site: Site, payload: string): Promise<string> {
  const { status, body } = await validate(site, payload);
  assert.equal(status, 200, JSON.stringify(body));
  fits('validate', body, validated);
  return String(body['session_jwt']);
}

export const identityChecks: readonly Check[] = [
  reference('§5', 'GET /api/nexus_id and /api/auth/mode are open', async (site) => {
    const id = await fetch(`${site.url}/api/nexus_id`);
    fits('nexus_id', await id.json(), object({ nexus_id: filled }));
    const mode = await fetch(`${site.url}/api/auth/mode`);
    fits('mode', await mode.json(), object({ bypass: flag }));
  }),

  reference('§5', 'validate says by its text what is wrong with a payload', async (site) => {
    const path = '/api/aspect/validate';
    const malformed = await post(site, path, { encrypted_payload: 'AAAA', more: 1 });
    assert.deepEqual([malformed.status, malformed.body['error']], [400, 'request body malformed']);
    const missing = await post(site, path, { encrypted_payload: '' });
    assert.deepEqual([missing.status, missing.body['error']], [400, 'encrypted_payload missing']);
    const foreign = await validate(site, Buffer.alloc(64, 1).toString('base64'));
    assert.deepEqual([foreign.status, foreign.body['error']], [401, 'decryption failed']);
  }),

  nexus('§5, G4', 'a keyfile becomes a token that opens the socket', async (site) => {
    const token = await session(site, await keyfile(site, site.newName()));
    assert.equal(await upgrade(site, { headers: bearer(token) }), 101);
    const check = await fetch(`${site.url}/api/auth/check`, { headers: bearer(token) });
    fits('check', await check.json(), object({ ok: is(true), role: is('aspect') }));
  }),

  nexus('§1.10', 'session.refresh takes a newer token of the same identity', async (site) => {
    const payload = await keyfile(site, site.newName());
    const client = await site.connect(await session(site, payload));
    const token = await session(site, payload);
    const answer = object({ expires_at: time });
    await ask(client, 'session.refresh', { token }, 'session.refresh.result', answer);
    await refused(client, 'session.refresh', { token: site.token }, 'forbidden');
  }),

  nexus('G1', 'retiring an aspect ends its connections with 4401', async (site) => {
    const name = site.newName();
    const payload = await keyfile(site, name);
    const token = await session(site, payload);
    const client = await site.connect(token);
    await post(site, '/api/admin/aspects/retire', { name }, site.token);
    assert.equal(await client.closed, 4401);
    assert.equal(await upgrade(site, { headers: bearer(token) }), 401);
    const after = await validate(site, payload);
    assert.deepEqual([after.status, after.body], [403, { error: 'retired' }]);
  }),
];
