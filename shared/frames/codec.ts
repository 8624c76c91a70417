import type { TSchema } from 'typebox';
import { isTooDeep, maxJsonDepth, parseJson } from '../json.ts';
import { compileSchema, type SchemaCheck } from '../schema.ts';
import type { FrameDefinition, PayloadOf } from './define.ts';
import type { Envelope } from './envelope.ts';
import { FrameRefused, UndecodableFrame } from './errors.ts';

/** Characters of a `kind`. Errors quote it. */
const maxKindLength = 128;
/** Characters of an `id`, `in_reply_to` or `target_aspect`: an answer carries the `id` back. */
export const maxIdLength = 256;
const maxTimeLength = 64;

const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

/**
 * Decodes text into envelopes and checks payloads of the kinds it was given.
 *
 * Compiling a schema takes milliseconds, so the broker compiles the whole catalogue at boot (a bad
 * schema stops the start) and small programs pass only the kinds they speak.
 */
export class FrameCodec {
  readonly #byKind = new Map<string, FrameDefinition>();
  readonly #checks = new Map<FrameDefinition, SchemaCheck<TSchema>>();

  /** Compiles the definitions and their answers. Throws on a bad schema or a kind named twice. */
  constructor(definitions: Iterable<FrameDefinition>) {
    for (const definition of definitions) {
      if (this.#byKind.has(definition.kind)) {
        throw new Error(`frame kind ${definition.kind} is defined twice`);
      }
      this.#byKind.set(definition.kind, definition);
      for (const each of [definition, definition.reply]) {
        if (each === 'none' || this.#checks.has(each)) continue;
        this.#checks.set(each, compileSchema(each.payload));
      }
    }
  }

  /** The definition of a kind, if this codec speaks it. */
  find(kind: string): FrameDefinition | undefined {
    return this.#byKind.get(kind);
  }

  /** Decodes one text message. Throws `UndecodableFrame`. Leaves the payload unchecked. */
  decode(text: string): Envelope {
    let value: unknown;
    try {
      value = parseJson(text);
    } catch (cause) {
      throw new UndecodableFrame('not JSON', { cause });
    }
    return asEnvelope(value);
  }

  /**
   * Checks a payload against its definition and returns it typed. `null` members read as unset,
   * unknown members are ignored (wire spec §2). Throws `FrameRefused` with `bad_request`.
   */
  check<D extends FrameDefinition>(definition: D, payload: unknown): PayloadOf<D> {
    const schema = this.#checks.get(definition);
    if (!schema) throw new Error(`codec was built without ${definition.kind}`);
    const value = withoutNulls(payload);
    if (isTooDeep(value)) throw tooDeep(definition.kind);
    if (schema.accepts(value)) return value as PayloadOf<D>;
    const problem = schema.problemWith(value);
    throw new FrameRefused(
      'bad_request',
      `${definition.kind}: payload${problem.startsWith('/') ? '' : ' '}${problem}`,
    );
  }
}

function asEnvelope(value: unknown): Envelope {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new UndecodableFrame('not a JSON object');
  }
  const envelope = value as Record<string, unknown>;
  if (typeof envelope['kind'] !== 'string' || envelope['kind'] === '') {
    throw new UndecodableFrame('no kind');
  }
  if (envelope['kind'].length > maxKindLength) throw new UndecodableFrame('kind is too long');
  // Spelt out: a loop over the names is several times slower, and every message comes by here.
  const { id, in_reply_to, ts, target_aspect } = envelope;
  if (id !== undefined) checkOptional(envelope, 'id', id);
  if (in_reply_to !== undefined) checkOptional(envelope, 'in_reply_to', in_reply_to);
  if (target_aspect !== undefined) checkOptional(envelope, 'target_aspect', target_aspect);
  if (ts !== undefined && checkOptional(envelope, 'ts', ts) && !isTime(ts as string)) {
    throw new UndecodableFrame('ts is not an RFC 3339 time');
  }
  return value as Envelope;
}

/** True for text. Go writes empty strings and nulls for unset members: both become absent. */
function checkOptional(envelope: Record<string, unknown>, name: string, member: unknown): boolean {
  if (member === null || member === '') {
    delete envelope[name];
    return false;
  }
  if (typeof member !== 'string') throw new UndecodableFrame(`${name} is not a string`);
  if (member.length > maxIdLength) throw new UndecodableFrame(`${name} is too long`);
  return true;
}

const isTime = (text: string): boolean =>
  text.length <= maxTimeLength && rfc3339.test(text) && !Number.isNaN(Date.parse(text));

const tooDeep = (kind: string): FrameRefused =>
  new FrameRefused(
    'bad_request',
    `${kind}: payload nests more than ${maxJsonDepth} arrays and objects`,
  );

/** `null` as a whole reads as an empty object; null members read as absent. Never mutates. */
export function withoutNulls(payload: unknown): unknown {
  if (payload === null) return {};
  if (typeof payload !== 'object' || Array.isArray(payload)) return payload;
  const members = payload as Record<string, unknown>;
  for (const name in members) {
    if (members[name] === null) {
      return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== null));
    }
  }
  return payload;
}
