import fc from 'fast-check';
import { catalogue } from '#shared/frames/catalogue';
import { fitting, jsonSchema } from './fitting.ts';
import { jsonText, Members, Raw } from './json-text.ts';

const deep = (open: string, close: string, levels: number): Raw =>
  new Raw(`${open.repeat(levels)}1${close.repeat(levels)}`);

/** Wrong in small: types, numbers, strings, names. Some are no JSON. */
const small: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1.5,
  '',
  '41',
  [],
  {},
  [null],
  '\u0000',
  '\u202e\ufeff\u2028',
  '💥'.repeat(40),
  "'; DROP TABLE journal; --",
  '../../etc/passwd',
  new Raw('-0'),
  new Raw('1e400'),
  new Raw('-1e400'),
  new Raw('1e308'),
  new Raw('1e-400'),
  new Raw('9007199254740991'),
  new Raw('9007199254740992'),
  new Raw('9007199254740993'),
  new Raw('-9007199254740993'),
  new Raw('18446744073709551616'),
  new Raw('0.1e1'),
  new Raw('NaN'),
  new Raw('-Infinity'),
  new Raw('01'),
  new Raw('0x10'),
  new Raw('undefined'),
  new Raw('"\\ud800"'),
  new Raw('"x\\udfff\\ud800y"'),
  new Raw('"\\uD83D\\uDE00 \\\\ud800 \\uDBFF"'),
  new Raw('"\\u0000"'),
  new Raw('"a\u0000b"'),
  new Raw('"\\x"'),
  new Raw('{"__proto__":{"polluted":1}}'),
  new Raw('{"constructor":{"prototype":{"polluted":1}}}'),
  new Raw('{"toString":1,"hasOwnProperty":null,"valueOf":{}}'),
  new Raw('{"a":1,"a":2}'),
  deep('[', ']', 63),
  deep('{"a":', '}', 65),
];

/** Wrong in size. */
const large: readonly unknown[] = [
  'x'.repeat(100_000),
  '\u0001'.repeat(60_000),
  '💥'.repeat(30_000),
  new Raw('1'.repeat(100_000)),
  new Raw(`0.${'1'.repeat(100_000)}`),
  new Raw(`"${'\\ud800'.repeat(20_000)}"`),
  new Raw(`[${'0,'.repeat(99_999)}0]`),
  new Raw(`{${Array.from({ length: 10_000 }, (_, i) => `"k${i}":null`).join(',')}}`),
  deep('[', ']', 10_000),
  deep('{"a":', '}', 10_000),
  deep('{"__proto__":', '}', 10_000),
];

/** Anything that should not be where it is. */
export const hostileValue: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 60, arbitrary: fc.constantFrom(...small) },
  { weight: 10, arbitrary: fc.jsonValue({ maxDepth: 4 }) },
  { weight: 1, arbitrary: fc.constantFrom(...large) },
);

const kinds = catalogue.map(({ kind }) => kind);
const sendable = catalogue.filter(({ from }) => !from.includes('broker')).map(({ kind }) => kind);
const namesOfObjects = ['__proto__', 'constructor', 'toString', 'hasOwnProperty'];

const kind = fc.oneof(
  { weight: 30, arbitrary: fc.constantFrom(...sendable) },
  { weight: 5, arbitrary: fc.constantFrom(...kinds) },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      ...namesOfObjects,
      ...kinds.map((each) => `${each}.error`),
      ...kinds.map((each) => each.toUpperCase()),
      ...kinds.map((each) => ` ${each}`),
      'k'.repeat(128),
      'k'.repeat(129),
      'no.such.kind',
    ),
  },
  { weight: 1, arbitrary: hostileValue },
);

/** Few, so that they come again and again. */
const id = fc.oneof(
  { weight: 10, arbitrary: fc.integer({ min: 0, max: 8 }).map((n) => `id-${n}`) },
  { weight: 5, arbitrary: fc.uuid() },
  { weight: 3, arbitrary: fc.constant(undefined) },
  { weight: 1, arbitrary: fc.constantFrom('i'.repeat(256), 'i'.repeat(257), '__proto__') },
  { weight: 1, arbitrary: hostileValue },
);

const usually = (usual: unknown, ...others: unknown[]): fc.Arbitrary<unknown> =>
  fc.oneof(
    { weight: 20, arbitrary: fc.constant(usual) },
    { weight: 2, arbitrary: fc.constantFrom(usual, ...others) },
    { weight: 1, arbitrary: hostileValue },
  );

const envelopeHead = {
  id,
  in_reply_to: usually(undefined, '', null, 'id-1'),
  target_aspect: usually(undefined, 'wren', '__proto__'),
  ts: usually(
    undefined,
    '2026-06-01T08:00:00.5Z',
    '2026-02-30T25:61:00Z',
    `2026-06-01T08:00:00.${'1'.repeat(100_000)}Z`,
    '0001-01-01T00:00:00Z',
  ),
};

/** One thing done to a payload: a member goes, comes twice, or is something else. */
const change = fc.record({
  place: fc.nat(),
  what: fc.oneof(
    fc.constant({ gone: true } as const),
    fc.constant({ twice: true } as const),
    fc.constant({ value: 'x'.repeat(9_000) }),
    hostileValue.map((value) => ({ value })),
  ),
});
type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;

function changed(payload: unknown, changes: readonly Change[]): unknown {
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) return payload;
  const entries: (readonly [string, unknown])[] = Object.entries(payload);
  for (const { place, what } of changes) {
    const index = place % (entries.length + 1);
    const [name, value] = entries[index] ?? ['__proto__', { polluted: 1 }];
    if ('gone' in what) entries.splice(index, 1);
    else if ('twice' in what) entries.push([name, value]);
    else entries.splice(index, 1, [name, what.value]);
  }
  return new Members(entries);
}

const payloads = new Map(
  catalogue.map((definition) => [
    definition.kind,
    fc.oneof(
      { weight: 6, arbitrary: fitting(jsonSchema(definition.payload)) },
      {
        weight: 6,
        arbitrary: fc
          .tuple(fitting(jsonSchema(definition.payload)), fc.array(change, { maxLength: 3 }))
          .map(([payload, changes]) => changed(payload, changes)),
      },
      { weight: 1, arbitrary: hostileValue },
    ),
  ]),
);

const payloadFor = (of: unknown): fc.Arbitrary<unknown> =>
  (typeof of === 'string' ? payloads.get(of) : undefined) ?? hostileValue;

const wellMade: fc.Arbitrary<string> = kind.chain((of) =>
  fc
    .record({ ...envelopeHead, payload: payloadFor(of) })
    .map(({ payload, ...head }) =>
      jsonText(new Members([['kind', of], ...Object.entries(head), ['payload', payload]])),
    ),
);

/** What may happen to a text on top of everything in it. */
const spoiled: fc.Arbitrary<(text: string) => string> = fc.oneof(
  { weight: 30, arbitrary: fc.constant((text: string) => text) },
  {
    weight: 1,
    arbitrary: fc.nat().map((at) => (text: string) => text.slice(0, at % (text.length + 1))),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom<(text: string) => string>(
      (text) => `\ufeff${text}`,
      (text) => `${text}\u0000`,
      (text) => `\r\n\t ${text}\n`,
      (text) => `${text}${text}`,
      (text) => `[${text}]`,
      (text) => JSON.stringify(text),
      (text) => text.replace('{', '{"kind":"chat.read",'),
      (text) => text.replaceAll('"', "'"),
    ),
  },
);

/** Texts that are no frame. */
export const noFrame = fc.constantFrom(
  '',
  ' ',
  'null',
  '[]',
  '{}',
  '{',
  '"chat.send"',
  '[['.repeat(50_000),
  '{"a":'.repeat(50_000),
  '{"__proto__":{"kind":"chat.read","id":"x"}}',
);

/** One text message of a client that means no good, or was written badly. */
export const hostileText: fc.Arbitrary<string> = fc.oneof(
  { weight: 40, arbitrary: fc.tuple(wellMade, spoiled).map(([text, spoil]) => spoil(text)) },
  { weight: 1, arbitrary: noFrame },
);
