import { createReadStream, createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Type } from 'typebox';
import { compileSchema } from '#shared/schema';
import type { AuditJournal, Verified } from './audit-journal.ts';
import { ChainWalk, type StoredEvent } from './chain-walk.ts';
import { AuditError } from './errors.ts';

const format = 'nexus-audit-v1';

const head = { position: Type.Integer(), hash: Type.String() };

const Opening = Type.Object({
  format: Type.Literal(format),
  nexus_id: Type.String(),
  /** Ed25519, hexadecimal. */
  public_key: Type.String({ pattern: '^[0-9a-f]{64}$' }),
  /** What precedes the first event. */
  before: Type.Object(head),
});

const Line = Type.Object({
  ...head,
  at: Type.Integer(),
  kind: Type.String(),
  actor: Type.String(),
  body: Type.String(),
});

const Closing = Type.Object({
  signed_head: Type.Object({ ...head, at: Type.Integer(), signature: Type.String() }),
});

/**
 * Writes a journal up to its newest signed head: an opening line, one line an event, and the
 * signed head. Whoever has the file and the instance's public key needs nothing else to check it.
 * Returns how many events it holds.
 */
export async function exportJournal(
  journal: AuditJournal,
  path: string,
  above = 0,
): Promise<number> {
  const signed = journal.signedHeads().at(-1);
  if (!signed || signed.position <= above) {
    throw new AuditError('audit.unreadable', `nothing above position ${above} was signed yet`);
  }
  let events = 0;
  function* lines(): Iterable<string> {
    yield line({
      format,
      nexus_id: journal.nexusId,
      public_key: journal.publicKey.toString('hex'),
      before: journal.before(above),
    });
    for (const event of journal.events(above)) {
      if (signed && event.position > signed.position) break;
      events += 1;
      yield line(event);
    }
    yield line({ signed_head: signed });
  }
  await pipeline(Readable.from(lines()), createWriteStream(path, { mode: 0o600, flags: 'wx' }));
  return events;
}

const line = (value: object): string => `${JSON.stringify(value)}\n`;

export interface VerifiedExport extends Verified {
  readonly nexusId: string;
  /** Hexadecimal. It is the file's own word unless it was given. */
  readonly publicKey: string;
  readonly events: number;
}

/**
 * Checks an export without any database. `publicKey`, in hexadecimal, must be the one that signed
 * it; without it the file is only consistent with itself. Throws `AuditError`.
 */
export async function verifyExport(path: string, publicKey?: string): Promise<VerifiedExport> {
  const isOpening = compileSchema(Opening);
  const isLine = compileSchema(Line);
  const isClosing = compileSchema(Closing);
  let walk: ChainWalk | undefined;
  let instance: { nexusId: string; publicKey: Buffer } | undefined;
  let events = 0;
  const input = createReadStream(path, 'utf8');
  for await (const text of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    const value = parse(text);
    if (!walk || !instance) {
      if (!isOpening.accepts(value)) throw unreadable('it does not begin like an export');
      if (publicKey && value.public_key !== publicKey.toLowerCase()) {
        throw new AuditError('audit.altered', 'the export names another public key than yours');
      }
      walk = new ChainWalk(value.before);
      instance = { nexusId: value.nexus_id, publicKey: Buffer.from(value.public_key, 'hex') };
    } else if (isLine.accepts(value)) {
      walk.step(value satisfies StoredEvent);
      events += 1;
    } else if (isClosing.accepts(value)) {
      const { signed_head: signed } = value;
      if (signed.position !== walk.head.position) throw unreadable('events are missing at its end');
      walk.confirm(signed, instance);
      const { nexusId } = instance;
      const key = instance.publicKey.toString('hex');
      return { nexusId, publicKey: key, events, head: walk.head, signedUpTo: signed.position };
    } else {
      throw unreadable(`line ${events + 2} is no event`);
    }
  }
  throw unreadable('it was cut off before its signed head');
}

const unreadable = (why: string) => new AuditError('audit.unreadable', `no audit export: ${why}`);

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw unreadable('a line is not JSON');
  }
}
