import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import Value from 'typebox/value';
import { Connection } from '#nexus/broker/connection';
import type { Handler } from '#nexus/broker/handler';
import { Router } from '#nexus/broker/router';
import { nowhere } from '#nexus/broker/test-kit';
import { aspectIdentity, operatorIdentity } from '#nexus/credentials/identity';
import { MemoryJournal } from '#nexus/journal/memory-journal';
import { catalogue } from '#shared/frames/catalogue';
import { FrameCodec } from '#shared/frames/codec';
import type { FrameDefinition } from '#shared/frames/define';
import { FrameRefused } from '#shared/frames/errors';
import { FakeClock } from '#shared/sys/fake-clock';
import { silentLog } from '#shared/sys/log';
import type { OutboundFrame } from '#shared/transport/frame-batch';
import { type Expected, expectedOf, wireCodes } from './expected.ts';
import { runs, seed } from './fuzz-runs.ts';
import { hostileText, noFrame } from './hostile.ts';

const codec = new FrameCodec(catalogue);
const served = catalogue.filter(({ from }) => !from.includes('broker'));

/** What a handler may do with a frame that it was given. */
const conducts = ['answers', 'records', 'refuses', 'fails', 'throws', 'throws nothing'] as const;
type Conduct = (typeof conducts)[number];

const peers = ['aspect', 'operator', 'outpost'] as const;
type Peer = (typeof peers)[number];

interface Answer {
  readonly kind: string;
  readonly in_reply_to?: string;
  readonly payload?: { readonly error?: string; readonly code?: string };
}

/** Every kind that a client may send, with handlers that behave as they are told, in turn. */
function handlers(behaviours: readonly Conduct[], unchecked: string[]): Handler[] {
  const journal = new MemoryJournal({ clock: new FakeClock(), maxWaiting: 4 });
  let next = 0;
  const run = (definition: FrameDefinition) => (payload: unknown) => {
    if (!Value.Check(definition.payload, payload)) unchecked.push(definition.kind);
    switch (behaviours[next++ % behaviours.length]) {
      case 'records':
        return journal
          .append({ kind: definition.kind, actor: 'wren', body: { payload } })
          .then(() => ({}));
      case 'refuses':
        return Promise.reject(new FrameRefused('conflict', `not ${JSON.stringify(payload)}`));
      case 'fails':
        return Promise.reject(new TypeError('a bug'));
      case 'throws':
        throw new RangeError('a bug');
      case 'throws nothing':
        throw undefined;
      default:
        return {};
    }
  };
  return served.map((definition, index) => ({
    definition,
    order: (['writes', 'reads', 'aside'] as const)[index % 3] ?? 'aside',
    run: run(definition),
  }));
}

/** A connection that remembers what it was sent. */
function connect(behaviours: readonly Conduct[], as: Peer) {
  const texts: string[] = [];
  const closes: number[] = [];
  const unchecked: string[] = [];
  const connection = new Connection(
    1,
    as === 'operator' ? operatorIdentity : aspectIdentity('wren'),
    {
      ...nowhere,
      push: (frame: OutboundFrame) => texts.push(frame.text),
      close: (code: number) => closes.push(code),
    },
  );
  if (as === 'outpost') connection.outpostId = 'host-1';
  const router = new Router({ codec, handlers: handlers(behaviours, unchecked), log: silentLog });
  return { intake: router.open(connection), texts, closes, unchecked };
}

/** Turns of the loop until nothing is under way: each recorded frame may hold back the next. */
async function settle(frames: number): Promise<void> {
  for (let i = 0; i <= frames; i++) await new Promise((resolve) => setImmediate(resolve));
}

function assertAnswer({ kind, payload }: Answer, { definition, kind: asked }: Expected): void {
  if (kind !== `${asked}.error`) {
    assert.ok(definition && definition.reply !== 'none');
    assert.equal(kind, definition.reply.kind);
    return;
  }
  const { error = '', code = '' } = payload ?? {};
  assert.ok(wireCodes.has(code), code);
  assert.ok(error.length > 0 && error.length <= 2_000, error);
}

/** Fewest and most answers that a frame with an id may get. */
function dueFor({ definition }: Expected): [number, number] {
  const silentWhenWell = definition && served.includes(definition) && definition.reply === 'none';
  return [silentWhenWell ? 0 : 1, 1];
}

suite('Router under hostile input', () => {
  test('answers every frame that has an id exactly once, with a code where it refuses', async () => {
    const property = fc.asyncProperty(
      fc.oneof(
        { weight: 9, arbitrary: fc.array(hostileText, { minLength: 1, maxLength: 40 }) },
        { weight: 1, arbitrary: fc.array(noFrame, { minLength: 14, maxLength: 18 }) },
      ),
      fc.array(fc.constantFrom(...conducts), { minLength: 1, maxLength: 12 }),
      fc.constantFrom(...peers),
      async (texts, behaviours, as) => {
        const { intake, texts: sent, closes, unchecked } = connect(behaviours, as);
        const taken: Expected[] = [];
        let undecodable = 0;
        for (const text of texts) {
          if (closes.length > 0) break;
          intake.receive(text);
          const expected = expectedOf(text);
          undecodable = expected ? 0 : undecodable + 1;
          if (expected?.id !== undefined) taken.push(expected);
          assert.deepEqual(closes, undecodable === 16 ? [1008] : []);
        }
        await settle(texts.length);
        assert.deepEqual(unchecked, [], 'reached a handler though they do not fit');

        const answers = sent.map((text) => JSON.parse(text) as Answer);
        const bytes = sent.map((text) => Buffer.byteLength(text));
        assert.ok(Math.max(0, ...bytes) < 8_192, 'an answer quotes too much');
        const byId = Map.groupBy(answers, ({ in_reply_to }) => in_reply_to);
        byId.delete(undefined);
        for (const [id, asked] of Map.groupBy(taken, (each) => each.id)) {
          const given = byId.get(id) ?? [];
          byId.delete(id);
          const due = asked.map(dueFor);
          const [fewest, most] = [0, 1].map((i) => due.reduce((sum, d) => sum + (d[i] ?? 0), 0));
          assert.ok(given.length >= (fewest ?? 0) && given.length <= (most ?? 0), `${id}`);
          for (const answer of given) {
            const fits = asked.find(
              ({ kind, definition }) =>
                answer.kind === `${kind}.error` ||
                (definition &&
                  definition.reply !== 'none' &&
                  definition.reply.kind === answer.kind),
            );
            assert.ok(fits, `${answer.kind} answers nothing`);
            assertAnswer(answer, fits);
          }
        }
        assert.deepEqual([...byId.keys()], [], 'nothing else is answered');
      },
    );
    await fc.assert(property, { numRuns: runs(150), seed });
  });
});
