import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { Inbox, type InboxMark } from './inbox.ts';

const empty: InboxMark = { cursor: 0, done: [] };

/** An inbox that has taken these messages. */
function inboxWith(ids: readonly number[], { mark = empty, maxOpen = 200 } = {}): Inbox {
  const inbox = new Inbox(mark, maxOpen);
  for (const id of ids) assert.ok(inbox.take({ id }), `takes ${id}`);
  return inbox;
}

suite('Inbox', () => {
  test('moves its cursor over what is finished without a gap', () => {
    const inbox = inboxWith([3, 5, 9]);
    inbox.finish(3);
    assert.deepEqual(inbox.mark, { cursor: 4, done: [] });
    inbox.finish(5);
    assert.deepEqual(inbox.mark, { cursor: 8, done: [] });
  });

  test('remembers what is finished above the oldest unfinished message', () => {
    const inbox = inboxWith([3, 5, 9]);
    inbox.finish(9);
    inbox.finish(5);
    assert.deepEqual(inbox.mark, { cursor: 2, done: [5, 9] });
    inbox.finish(3);
    assert.deepEqual(inbox.mark, { cursor: 9, done: [] });
  });

  test('takes each message once: while it is open, done, or behind the cursor', () => {
    const inbox = inboxWith([3, 5, 9]);
    inbox.finish(3);
    inbox.finish(9);
    for (const id of [1, 3, 4, 5, 9]) assert.equal(inbox.take({ id }), false, `${id}`);
  });

  test('knows after a restart what its mark says', () => {
    const inbox = new Inbox({ cursor: 4, done: [7] }, 200);
    assert.equal(inbox.take({ id: 4 }), false);
    assert.equal(inbox.take({ id: 7 }), false);
    assert.equal(inbox.take({ id: 5 }), true);
    inbox.finish(5);
    assert.deepEqual(inbox.mark, { cursor: 7, done: [] });
  });

  test('follows the end of a replay, but not past an unfinished message', () => {
    const inbox = inboxWith([3]);
    inbox.caughtUp(20);
    assert.deepEqual(inbox.mark, { cursor: 2, done: [] });
    inbox.finish(3);
    assert.deepEqual(inbox.mark, { cursor: 20, done: [] });
  });

  test('a message that it never took cannot be finished', () => {
    const inbox = inboxWith([3]);
    inbox.finish(8);
    assert.deepEqual(inbox.mark, { cursor: 0, done: [] });
  });

  test('turns messages away when full and asks for a replay once half of it is done', () => {
    const inbox = inboxWith([1, 2, 3, 4], { maxOpen: 4 });
    assert.equal(inbox.take({ id: 5 }), false);
    assert.equal(inbox.mustCatchUp, false);
    inbox.finish(1);
    assert.equal(inbox.mustCatchUp, false);
    assert.equal(inbox.take({ id: 6 }), false, 'nothing gets ahead of what was turned away');
    inbox.caughtUp(6);
    inbox.finish(2);
    assert.equal(inbox.mustCatchUp, true);
    assert.deepEqual(inbox.mark, { cursor: 2, done: [] });

    inbox.replayBegins();
    assert.equal(inbox.mustCatchUp, false);
    assert.deepEqual(
      [3, 4, 5, 6].map((id) => inbox.take({ id })),
      [false, false, true, true],
    );
    for (const id of [3, 4, 5, 6]) inbox.finish(id);
    assert.deepEqual(inbox.mark, { cursor: 6, done: [] });
  });
});

/** Messages to us are some of the ids; the rest is for others. */
const history = fc.uniqueArray(fc.integer({ min: 1, max: 60 }), { maxLength: 25 });
const step = fc.oneof(
  { weight: 6, arbitrary: fc.constant('deliver' as const) },
  { weight: 6, arbitrary: fc.nat().map((pick) => ({ finish: pick })) },
  { weight: 1, arbitrary: fc.constant('crash' as const) },
  { weight: 1, arbitrary: fc.constant('reconnect' as const) },
  { weight: 1, arbitrary: fc.constant('save' as const) },
);

/**
 * A broker that sends ascending ids, and a replay from the inbox's own mark after each new link;
 * and an aspect that finishes what it took in any order and may crash at any time.
 */
class Model {
  readonly #ids: readonly number[];
  readonly #maxOpen: number;
  readonly finished = new Set<number>();
  readonly #open = new Set<number>();
  #saved: InboxMark = empty;
  inbox: Inbox;
  /** Index of the next message on the current link. */
  #next = 0;

  constructor(ids: readonly number[], maxOpen: number) {
    this.#ids = ids.toSorted((a, b) => a - b);
    this.#maxOpen = maxOpen;
    this.inbox = new Inbox(empty, maxOpen);
  }

  deliver(): void {
    const id = this.#ids[this.#next];
    if (id === undefined) return;
    this.#next += 1;
    if (this.inbox.take({ id })) {
      assert.ok(!this.#saved.done.includes(id) && id > this.#saved.cursor, `${id} was marked done`);
      this.#open.add(id);
    }
    if (this.#next === this.#ids.length) this.inbox.caughtUp(id);
    this.check();
  }

  finish(pick: number): void {
    const id = [...this.#open][pick % this.#open.size];
    if (id === undefined) return;
    this.#open.delete(id);
    this.finished.add(id);
    this.inbox.finish(id);
    this.check();
    if (this.inbox.mustCatchUp) this.reconnect();
  }

  save(): void {
    this.#saved = this.inbox.mark;
  }

  crash(): void {
    this.#open.clear();
    this.inbox = new Inbox(this.#saved, this.#maxOpen);
    this.reconnect();
  }

  reconnect(): void {
    this.inbox.replayBegins();
    const { cursor } = this.inbox.mark;
    const index = this.#ids.findIndex((id) => id > cursor);
    this.#next = index < 0 ? this.#ids.length : index;
  }

  /** Everything up to the cursor, and all that counts as done, really is finished. */
  check(): void {
    const { cursor, done } = this.inbox.mark;
    const claimed = this.#ids.filter((id) => id <= cursor || done.includes(id));
    for (const id of claimed) assert.ok(this.finished.has(id), `${id} is unfinished at ${cursor}`);
  }

  /** From now on nothing goes wrong. */
  runToTheEnd(): void {
    for (let round = 0; this.finished.size < this.#ids.length; round++) {
      assert.ok(round < 100, 'some message never comes');
      for (const _ of this.#ids) this.deliver();
      while (this.#open.size > 0) this.finish(0);
    }
  }
}

test('whatever happens, each message is finished, and none that is marked finished is taken', () => {
  fc.assert(
    fc.property(
      history,
      fc.integer({ min: 1, max: 6 }),
      fc.array(step, { maxLength: 80 }),
      (ids, maxOpen, steps) => {
        const model = new Model(ids, maxOpen);
        for (const each of steps) {
          if (typeof each === 'object') model.finish(each.finish);
          else model[each]();
        }
        model.runToTheEnd();
        assert.equal(model.finished.size, ids.length);
      },
    ),
    { numRuns: 500 },
  );
});
