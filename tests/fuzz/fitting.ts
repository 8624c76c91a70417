import fc from 'fast-check';
import type { TSchema } from 'typebox';
import { seed } from './fuzz-runs.ts';

/** What TypeBox writes of JSON Schema, as far as our definitions use it. */
interface JsonSchema {
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly JsonSchema[];
  readonly allOf?: readonly JsonSchema[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly patternProperties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
}

export const jsonSchema = (schema: TSchema): JsonSchema => schema as JsonSchema;

const firstIds = Array.from({ length: 30 }, (_, i) => i + 1);

/** Members whose value decides how far a frame gets: often a plausible one, where it fits. */
const plausible: Readonly<Record<string, readonly unknown[]>> = {
  name: ['wren', 'anvil', 'operator'],
  from: ['wren', 'operator', ''],
  aspect: ['wren', 'anvil'],
  session_id: ['session-wren', 's2'],
  msg_id: firstIds,
  reply_to: firstIds,
  thread_id: firstIds,
  content: ['hello @wren', '@all', 'one', '@nobody x'],
};

/** Values that fit a schema, most of them. */
export function fitting(schema: JsonSchema): fc.Arbitrary<unknown> {
  if ('const' in schema) return fc.constant(schema.const);
  if (schema.enum) return fc.constantFrom(...schema.enum);
  if (schema.anyOf) return fc.oneof(...schema.anyOf.map(fitting));
  if (schema.allOf) {
    return fc.tuple(...schema.allOf.map(fitting)).map((parts) => Object.assign({}, ...parts));
  }
  switch (schema.type) {
    case 'string':
      return text(schema);
    case 'integer':
      return fc.integer(range(schema));
    case 'number':
      return fc.double({ ...range(schema), noNaN: true });
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    case 'array':
      return fc.array(fitting(schema.items ?? {}), {
        minLength: schema.minItems ?? 0,
        maxLength: Math.max(schema.minItems ?? 0, Math.min(schema.maxItems ?? 4, 4)),
      });
    case 'object':
      return object(schema);
    default:
      return fc.jsonValue({ maxDepth: 3 });
  }
}

function text({ pattern, minLength = 0, maxLength = Infinity }: JsonSchema): fc.Arbitrary<string> {
  if (pattern) return fc.constantFrom(...matching(pattern, minLength, maxLength));
  const most = Math.max(minLength, Math.min(maxLength, 24));
  return fc.string({ minLength, maxLength: most, unit: 'binary' });
}

/** Generating these is slow, so that a few must do. */
function matching(pattern: string, minLength: number, maxLength: number): string[] {
  const arbitrary = fc
    .stringMatching(new RegExp(pattern), { size: '-1' })
    .filter(({ length }) => length >= minLength && length <= maxLength);
  return fc.sample(arbitrary, { numRuns: 8, seed });
}

const range = ({ minimum = -1_000, maximum = 1_000 }: JsonSchema) => ({
  min: minimum,
  max: Math.max(minimum, Math.min(maximum, minimum + 2_000)),
});

function object({ properties = {}, required = [], patternProperties }: JsonSchema) {
  if (patternProperties) {
    const [values = {}] = Object.values(patternProperties);
    return fc.dictionary(fc.string(), fitting(values), { maxKeys: 4 });
  }
  const members = Object.entries(properties).map(([name, schema]) => {
    const fits = fitting(schema);
    const hints = (plausible[name] ?? []).filter((value) => suits(value, schema));
    return [name, hints.length > 0 ? fc.oneof(fc.constantFrom(...hints), fits) : fits] as const;
  });
  return fc.record(Object.fromEntries(members), { requiredKeys: [...required] });
}

function suits(value: unknown, { type, pattern, minLength = 0, minimum = 0 }: JsonSchema): boolean {
  if (typeof value === 'number') return type === 'integer' && value >= minimum;
  return type === 'string' && !pattern && String(value).length >= minLength;
}
