import { randomBytes } from 'node:crypto';
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { type Static, Type } from 'typebox';
import { messageOf } from '../errors.ts';
import { compileSchema } from '../schema.ts';
import { makeFolder } from '../sys/folders.ts';
import { KeyfileError } from './errors.ts';

const text = Type.String({ minLength: 1 });

/** Bytes of a keyfile; ours have less than one of these thousands. */
const maxFileBytes = 64 * 1024;

/** A keyfile on disk (auth spec §4.1). Members that it does not name are kept by nobody. */
const KeyfileJson = Type.Object({
  version: Type.Literal(1),
  format: Type.Literal('nexus-keyfile-v1'),
  envelope: Type.Object({
    /** Where its broker is: ws, wss, http or https, with no path but `/connect`. */
    nexus_url: text,
    nexus_id: text,
    issued_at: Type.Optional(Type.String()),
    /** Ours, for pinning: SHA-256 of the certificate's SPKI, in hex. */
    tls_sha256: Type.Optional(Type.String({ pattern: '^[0-9a-f]{64}$' })),
    /** Ours, for pinning: the broker's Ed25519 key, in base64. */
    server_pubkey: Type.Optional(text),
  }),
  /** A sealed box to the broker's key, in base64. Nobody but the broker can look inside. */
  encrypted_payload: text,
});

/**
 * What an aspect needs to come in from anywhere. Whoever has a copy comes in as the aspect, until a
 * newer one is minted or the aspect is retired.
 */
export type Keyfile = Static<typeof KeyfileJson>;

const check = compileSchema(KeyfileJson);
const paths: ReadonlySet<string> = new Set(['', '/', '/connect']);

/** Reads and checks a keyfile. Throws `KeyfileError`. */
export function readKeyfile(path: string): Keyfile {
  const value = parse(path);
  if (!check.accepts(value)) throw invalid(path, check.problemWith(value));
  const { nexus_url } = value.envelope;
  const url = URL.parse(nexus_url);
  if (!url || !/^(ws|http)s?:$/.test(url.protocol) || !paths.has(url.pathname)) {
    throw invalid(path, `nexus_url "${nexus_url}" is no address like wss://hub.example:7888`);
  }
  return value;
}

/**
 * Writes a keyfile, for this user only (mode 0600), and makes its folder if need be. A reader sees
 * the old file or the new one, also after a power cut. Throws `KeyfileError`.
 */
export function writeKeyfile(path: string, keyfile: Keyfile): void {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    makeFolder(dirname(path));
    writeSynced(temporary, JSON.stringify(keyfile, null, 2));
    renameSync(temporary, path);
    syncFolder(dirname(path));
  } catch (cause) {
    rmSync(temporary, { force: true });
    throw unwritable(path, cause);
  }
}

/** Throws `KeyfileError` when a keyfile could not be written there, before anything depends on it. */
export function assertWritable(path: string): void {
  try {
    makeFolder(dirname(path));
    accessSync(dirname(path), constants.W_OK);
    if (existsSync(path) && !statSync(path).isFile()) throw new Error('it is not a file');
  } catch (cause) {
    throw unwritable(path, cause);
  }
}

function parse(path: string): unknown {
  try {
    if (statSync(path).size > maxFileBytes) throw new Error(`it has over ${maxFileBytes} bytes`);
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    if (cause instanceof SyntaxError) throw invalid(path, 'it is not JSON', cause);
    throw new KeyfileError('keyfile.unreadable', `cannot read ${path}: ${messageOf(cause)}`, {
      cause,
    });
  }
}

const unwritable = (path: string, cause: unknown): KeyfileError =>
  new KeyfileError('keyfile.unreadable', `cannot write ${path}: ${messageOf(cause)}`, { cause });

const invalid = (path: string, problem: string, cause?: unknown): KeyfileError =>
  new KeyfileError('keyfile.invalid', `${path} is no keyfile that this version knows: ${problem}`, {
    cause,
  });

function writeSynced(path: string, content: string): void {
  const file = openSync(path, 'wx', 0o600);
  try {
    writeFileSync(file, content);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Makes the rename durable too. */
function syncFolder(path: string): void {
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
