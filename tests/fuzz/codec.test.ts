import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { catalogue } from '#shared/frames/catalogue';
import { FrameCodec } from '#shared/frames/codec';
import type { FrameDefinition } from '#shared/frames/define';
import { FrameRefused, UndecodableFrame } from '#shared/frames/errors';
import { expectedOf } from './expected.ts';
import { fitting, jsonSchema } from './fitting.ts';
import { runs, seed } from './fuzz-runs.ts';
import { hostileText } from './hostile.ts';

const codec = new FrameCodec(catalogue);
const untouched = Object.getOwnPropertyNames(Object.prototype).sort();

/** The payload as `check` gives it back, or undefined when it was refused. */
function checked(definition: FrameDefinition, payload: unknown): { payload: unknown } | undefined {
  try {
    return { payload: codec.check(definition, payload) };
  } catch (error) {
    assert.ok(error instanceof FrameRefused, String(error));
    assert.ok(error.message.length <= 2_000, `${error.message.length} characters`);
    return undefined;
  }
}

function frozen(value: unknown): unknown {
  const waiting = [value];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (typeof next !== 'object' || next === null) continue;
    Object.freeze(next);
    waiting.push(...Object.values(next).filter((each) => each !== undefined));
  }
  return value;
}

/** Every text in a value, without recursion: it may be deep. */
function* textsIn(value: unknown): Iterable<string> {
  const waiting = [value];
  while (waiting.length > 0) {
    const next = waiting.pop();
    if (typeof next === 'string') yield next;
    if (typeof next !== 'object' || next === null) continue;
    for (const [name, member] of Object.entries(next)) waiting.push(name, member);
  }
}

suite('FrameCodec under hostile input', () => {
  test('gives an envelope or a typed refusal, and nothing else happens', () => {
    const property = fc.property(hostileText, (text) => {
      const expected = expectedOf(text);
      let payload: unknown;
      try {
        const envelope = codec.decode(text);
        assert.ok(expected, 'this is no frame');
        assert.equal(envelope.kind, expected.kind);
        if (!envelope.in_reply_to) assert.equal(envelope.id, expected.id);
        ({ payload } = envelope);
      } catch (error) {
        assert.ok(error instanceof UndecodableFrame, String(error));
        assert.equal(expected, undefined, 'this is a frame');
      }
      for (const each of textsIn(payload)) assert.ok(each.isWellFormed(), 'half a surrogate pair');
      frozen(payload);
      // Not only by its own definition: a bug in one would hide behind another kind's refusals.
      for (const definition of expected?.definition ? [expected.definition] : catalogue) {
        const taken = checked(definition, payload);
        if (taken) assert.doesNotThrow(() => JSON.stringify(taken.payload));
      }
      assert.deepEqual(Object.getOwnPropertyNames(Object.prototype).sort(), untouched);
      assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
    });
    fc.assert(property, { numRuns: runs(1_500), seed });
  });

  for (const definition of catalogue) {
    test(`takes what fits ${definition.kind}`, () => {
      const property = fc.property(fitting(jsonSchema(definition.payload)), (payload) => {
        const text = JSON.stringify({ kind: definition.kind, payload });
        assert.ok(checked(definition, codec.decode(text).payload), text);
      });
      fc.assert(property, { numRuns: runs(10), seed });
    });
  }
});

/** JSON values by what schemas call them. */
const samples: Readonly<Record<string, readonly string[]>> = {
  string: ['"x"', '"1"', '"true"'],
  integer: ['0', '1', '-0', '1e3', '9007199254740991'],
  number: ['1.5', '1e-40', '-0.1'],
  huge: ['9007199254740992', '-9007199254740993', '1e308', '1e400'],
  boolean: ['true', 'false'],
  array: ['[]', '["x"]', '[[]]'],
  object: ['{}', '{"x":1}', '{"__proto__":{}}'],
};

/** Which samples can fit a member of this type at all. */
const fitsType: Readonly<Record<string, readonly string[]>> = {
  string: ['string'],
  integer: ['integer'],
  number: ['integer', 'number', 'huge'],
  boolean: ['boolean'],
  array: ['array'],
  object: ['object'],
};

suite('every member of every definition', () => {
  for (const definition of catalogue) {
    const { properties = {}, required = [] } = jsonSchema(definition.payload);
    for (const [name, { type = '' }] of Object.entries(properties)) {
      const allowed = fitsType[type];
      if (!allowed) continue;
      test(`${definition.kind} refuses a ${name} that is not ${type}`, () => {
        const [whole] = fc.sample(fitting(jsonSchema(definition.payload)), { numRuns: 1, seed });
        const wrong = Object.keys(samples).filter((each) => !allowed.includes(each));
        for (const text of wrong.flatMap((each) => samples[each] ?? [])) {
          const payload = { ...(whole as object), [name]: JSON.parse(text) };
          assert.throws(() => codec.check(definition, payload), { code: 'bad_request' }, text);
        }
        const unset = { ...(whole as object), [name]: null };
        const taken = checked(definition, unset);
        assert.equal(taken !== undefined, !required.includes(name), 'null reads as unset');
      });
    }
  }
});
