import assert from 'node:assert/strict';
import { suite, type TestContext, test } from 'node:test';
import type { Journal, JournalEvent, NewEvent, Projection } from '#nexus/journal/journal';

export interface JournalOptions {
  readonly projections?: readonly Projection[];
  readonly maxWaiting?: number;
}

/** Opens an empty journal, closed with the test. */
export type OpenJournal = (t: TestContext, options?: JournalOptions) => Journal;

export const said = (n: number | string, kind = 'said'): NewEvent => ({
  kind,
  actor: 'wren',
  body: { n },
});

const positions = (events: readonly JournalEvent[]) => events.map(({ position }) => position);

/** Keeps no table; refuses bodies with `bad`. */
function refusing(applied: JournalEvent[]): Projection {
  return {
    kinds: ['said'],
    tables: [],
    apply(events) {
      if (events.some(({ body }) => 'bad' in body)) throw new Error('this body is bad');
      applied.push(...events);
    },
  };
}

/** What every journal promises. */
export function journalContract(name: string, open: OpenJournal): void {
  suite(`${name} as a Journal`, () => {
    test('gives positions 1, 2, 3 in the order of the calls', async (t) => {
      const journal = open(t);
      assert.equal(journal.head, 0);
      const events = await Promise.all([1, 2, 3, 4, 5].map((n) => journal.append(said(n))));
      assert.deepEqual(positions(events), [1, 2, 3, 4, 5]);
      const later = await journal.append(said(6));
      assert.equal(later.position, 6);
      assert.equal(journal.head, 6);
      assert.deepEqual(
        journal
          .read(0, 100)
          .map(({ position, kind, actor, body }) => [position, kind, actor, body]),
        [1, 2, 3, 4, 5, 6].map((n) => [n, 'said', 'wren', { n }]),
      );
    });

    test('tells the listeners of a whole turn at once, before the appends resolve', async (t) => {
      const journal = open(t);
      const log: string[] = [];
      journal.onCommit((events) => log.push(`told ${positions(events).join()}`));
      const appends = [1, 2, 3].map((n) =>
        journal.append(said(n)).then(({ position }) => log.push(`resolved ${position}`)),
      );
      await Promise.all(appends);
      assert.deepEqual(log, ['told 1,2,3', 'resolved 1', 'resolved 2', 'resolved 3']);
    });

    test('a listener may append and may leave', async (t) => {
      const journal = open(t);
      const told: number[] = [];
      let second: Promise<JournalEvent> | undefined;
      const stop = journal.onCommit((events) => {
        told.push(...positions(events));
        second ??= journal.append(said('from the listener'));
      });
      await journal.append(said(1));
      await second;
      stop();
      await journal.append(said(3));
      assert.deepEqual(told, [1, 2]);
      assert.equal(journal.head, 3);
    });

    test('nothing is visible before its append resolves or the listener is told', async (t) => {
      const journal = open(t);
      const pending = journal.append(said(1));
      assert.equal(journal.head, 0);
      assert.deepEqual(journal.read(0, 10), []);
      journal.onCommit(() => assert.equal(journal.read(0, 10).length, 1));
      await pending;
    });

    test('a refused event leaves no gap and takes no neighbour with it', async (t) => {
      const applied: JournalEvent[] = [];
      const journal = open(t, { projections: [refusing(applied)] });
      const bad: NewEvent = { kind: 'said', actor: 'wren', body: { bad: true } };
      const results = await Promise.allSettled(
        [said(1), bad, said(2), bad, said(3)].map((event) => journal.append(event)),
      );
      assert.deepEqual(
        results.map((result) =>
          result.status === 'fulfilled' ? result.value.position : result.reason.code,
        ),
        [1, 'journal.rejected', 2, 'journal.rejected', 3],
      );
      assert.equal(journal.head, 3);
      assert.deepEqual(positions(journal.read(0, 10)), [1, 2, 3]);
      await assert.rejects(journal.append(bad), { code: 'journal.rejected' });
      assert.equal((await journal.append(said(4))).position, 4);
    });

    test('projections see each event of their kinds once, in order', async (t) => {
      const seen: number[] = [];
      const projection: Projection = {
        kinds: ['said'],
        tables: [],
        apply: (events) => void seen.push(...positions(events)),
      };
      const journal = open(t, { projections: [projection] });
      await Promise.all([said(1), said(2, 'other'), said(3)].map((event) => journal.append(event)));
      assert.deepEqual(seen, [1, 3]);
    });

    test('reads pages above a position, oldest first', async (t) => {
      const journal = open(t);
      await Promise.all(Array.from({ length: 10 }, (_, n) => journal.append(said(n))));
      assert.deepEqual(positions(journal.read(0, 3)), [1, 2, 3]);
      assert.deepEqual(positions(journal.read(3, 3)), [4, 5, 6]);
      assert.deepEqual(positions(journal.read(9, 3)), [10]);
      assert.deepEqual(journal.read(10, 3), []);
    });

    test('refuses what exceeds the bound of waiting events, and only that', async (t) => {
      const journal = open(t, { maxWaiting: 3 });
      const results = await Promise.allSettled([1, 2, 3, 4, 5].map((n) => journal.append(said(n))));
      assert.deepEqual(
        results.map((result) => (result.status === 'fulfilled' ? 'kept' : result.reason.code)),
        ['kept', 'kept', 'kept', 'journal.busy', 'journal.busy'],
      );
      assert.equal((await journal.append(said(6))).position, 4);
    });

    test('close records what was given, then refuses, and may be called twice', async (t) => {
      const journal = open(t);
      const given = [1, 2, 3].map((n) => journal.append(said(n)));
      await journal.close();
      await journal.close();
      assert.deepEqual(positions(await Promise.all(given)), [1, 2, 3]);
      await assert.rejects(journal.append(said(4)), { code: 'journal.closed' });
    });
  });
}
