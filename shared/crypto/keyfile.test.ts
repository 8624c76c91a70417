import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { newSigningPair, publicKeyOf } from './ed25519-keys.ts';
import { type Keyfile, readKeyfile, writeKeyfile } from './keyfile.ts';
import { makeKeyfile, openPayload, parseKey, parsePayload } from './keyfile-payload.ts';

const nexusId = '0f8b2c1e-7d43-4a55-9a0e-5f1f3f1f2a77';
const counting = (from: number) => Buffer.from(Array.from({ length: 32 }, (_, i) => from + i));
const server = { seed: counting(0), publicKey: publicKeyOf(counting(0)) };

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'nexus-keyfile-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

const parts = {
  name: 'wren',
  seed: counting(100),
  version: 3,
  nexusId,
  nexusUrl: 'wss://hub.example:7888/connect',
  serverPublicKey: server.publicKey,
  now: Date.UTC(2026, 5, 1, 9, 30),
};

/** Sealed with libsodium to the server's key above. */
const foreignPayload =
  '2hLQN37vQ11MA43NdOJT+H5YIhNX0jH3ydKLYz99NVDdTRj6n3pMr+NPaS7Tl09N4rj77nGXauDeGrgQetVlQ+x9ux3x' +
  'f8COTGJDgiavf5TBjh7JhbN5MHE4l+75CSzdrN1En5tEs11i1segFuFK8IevD5eWk8xZWPCe0pLs6HZSrF6hgvt3gbtw' +
  'dRm3tDl3/OLeZKaTokhkoh8RzVL6vZD1gdfmmVmHYHj7o+l0YN11XL4FTs7fzDOXlwL1gIwDErKIS+Dfe0Uu5CI6xOJC' +
  'TQS0tTMpCWhyrU7uH7BsZ2NFvERVSNRFJkD8BNx+ugE=';

const innerText =
  '{"aspect_name":"wren","aspect_privkey":"ZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXp7fH1+f4CBgoM=",' +
  '"keyfile_version":3,"minted_at":"2026-06-01T09:30:00Z",' +
  `"nexus_id":"${nexusId}"}`;

suite('the payload of a keyfile', () => {
  test('opens when libsodium sealed it', () => {
    assert.equal(openPayload(foreignPayload, server), innerText);
    const payload = parsePayload(innerText);
    assert.equal(payload?.keyfile_version, 3);
    assert.deepEqual(Buffer.from(parseKey(payload?.aspect_privkey ?? '') ?? []), parts.seed);
  });

  test('of ours holds the same text, byte for byte', () => {
    const { keyfile, fingerprint } = makeKeyfile(parts);
    assert.equal(openPayload(keyfile.encrypted_payload, server), innerText);
    assert.match(fingerprint, /^[0-9a-f]{64}$/);
  });

  test('does not open for another broker, nor when it is not base64', () => {
    assert.equal(openPayload(foreignPayload, newSigningPair()), undefined);
    for (const text of ['', 'AAAA', `${foreignPayload}=`, `${foreignPayload.slice(1)}`, '%%%%']) {
      assert.equal(openPayload(text, server), undefined, text);
    }
  });

  test('must be what is sealed in keyfiles', () => {
    const wrong = ['', '[]', '{}', '{"aspect_name":""}', innerText.replace('3', '"3"')];
    for (const text of wrong) assert.equal(parsePayload(text), undefined, text);
    assert.ok(parsePayload(innerText.replace('}', ',"later":1}')), 'unknown members are ignored');
  });
});

suite('keyfiles on disk', () => {
  test('are written for this user only, two-space indented, without a final newline', (t) => {
    const path = join(folderOf(t), 'deeper', 'wren.keyfile.json');
    const { keyfile } = makeKeyfile(parts);
    writeKeyfile(path, keyfile);
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.equal(
      readFileSync(path, 'utf8'),
      `{
  "version": 1,
  "format": "nexus-keyfile-v1",
  "envelope": {
    "nexus_url": "wss://hub.example:7888/connect",
    "nexus_id": "${nexusId}",
    "issued_at": "2026-06-01T09:30:00Z",
    "server_pubkey": "A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg="
  },
  "encrypted_payload": "${keyfile.encrypted_payload}"
}`,
    );
    assert.deepEqual(readKeyfile(path), keyfile);
    writeKeyfile(path, keyfile);
    assert.deepEqual(readdirSync(join(path, '..')), ['wren.keyfile.json'], 'nothing left behind');
  });

  test('may have members that we do not know', (t) => {
    const path = join(folderOf(t), 'k.json');
    const { keyfile } = makeKeyfile(parts);
    writeFileSync(path, JSON.stringify({ ...keyfile, jira: { api_token: 'x' } }));
    assert.equal(readKeyfile(path).envelope.nexus_id, nexusId);
  });

  test('that are not of this form are refused, naming the file', (t) => {
    const path = join(folderOf(t), 'k.json');
    const { keyfile } = makeKeyfile(parts);
    const { envelope } = keyfile;
    const withUrl = (nexus_url: string) => ({ ...keyfile, envelope: { ...envelope, nexus_url } });
    const wrong: unknown[] = [
      [],
      { ...keyfile, version: 2 },
      { ...keyfile, format: 'nexus-keyfile-v2' },
      { ...keyfile, encrypted_payload: '' },
      { ...keyfile, envelope: { ...envelope, nexus_id: '' } },
      withUrl(''),
      withUrl('hub.example:7888'),
      withUrl('ftp://hub.example/'),
      withUrl('wss://hub.example/elsewhere'),
    ];
    const refusal = { code: 'keyfile.invalid', message: /k\.json is no keyfile/ };
    for (const content of wrong) {
      writeFileSync(path, JSON.stringify(content));
      assert.throws(() => readKeyfile(path), refusal, JSON.stringify(content));
    }
    writeFileSync(path, '{');
    assert.throws(() => readKeyfile(path), refusal);
    for (const url of ['ws://h', 'wss://h/', 'http://h:1/connect', 'https://h']) {
      writeFileSync(path, JSON.stringify(withUrl(url) satisfies Keyfile));
      assert.equal(readKeyfile(path).envelope.nexus_url, url);
    }
  });

  test('that are missing or huge cannot be read, and a folder cannot be written over', (t) => {
    const folder = folderOf(t);
    const unreadable = { code: 'keyfile.unreadable' };
    assert.throws(() => readKeyfile(join(folder, 'none.json')), unreadable);
    writeFileSync(join(folder, 'huge.json'), ' '.repeat(64 * 1024 + 1));
    assert.throws(() => readKeyfile(join(folder, 'huge.json')), unreadable);
    assert.throws(() => writeKeyfile(folder, makeKeyfile(parts).keyfile), unreadable);
  });
});
