import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import type { JournalEvent } from '../journal/journal.ts';
import { rebuildProjections } from '../journal/maintenance.ts';
import { journalMigration } from '../journal/sqlite-journal.ts';
import { type Database, openDatabase } from '../storage/database.ts';
import { KnowledgeStore, knowledgeMigration } from './knowledge-store.ts';
import { expressionsFor } from './query.ts';
import { type Scope, scopeOf } from './rules.ts';

const noon = Date.UTC(2026, 5, 1, 12);
const all: Scope = { whole: ['wren', 'anvil', 'operator'], shared: [] };

/** Applies events one after the other and keeps them, as the journal does. */
class Life {
  readonly database: Database = openDatabase(':memory:', [journalMigration, knowledgeMigration]);
  readonly store = new KnowledgeStore(this.database);
  #position = 0;

  /** Returns the event's position. */
  apply(kind: string, actor: string, body: object, at = noon + this.#position * 10_000): number {
    const event: JournalEvent = { position: ++this.#position, at, kind, actor, body };
    this.database.writer
      .prepare(
        'INSERT INTO journal (position, at, kind, actor, body, hash) VALUES (?, ?, ?, ?, ?, 0)',
      )
      .run(event.position, at, kind, actor, JSON.stringify(body));
    this.store.apply([event]);
    return event.position;
  }

  write(owner: string, topic: string, content: string, more: object = {}): number {
    return this.apply('knowledge.stored', owner, { topic, content, ...more });
  }

  share(id: number, shared: boolean, by = 'operator'): void {
    this.apply('knowledge.shared', by, { id, shared });
  }

  ids(text: string, scope = all, limit = 50): number[][] {
    return expressionsFor(text).map((expression) =>
      this.store.search(expression, scope, limit).map(({ id }) => id),
    );
  }

  rows(table: string): unknown[] {
    return this.database.reader.prepare(`SELECT * FROM ${table} ORDER BY 1, 2`).all();
  }

  dump(): unknown {
    return ['knowledge', 'knowledge_state', 'knowledge_history'].map((table) => this.rows(table));
  }

  /** Throws unless the index says what the table says. */
  checkIndex(): void {
    this.database.writer.exec(
      `INSERT INTO knowledge_fts (knowledge_fts, rank) VALUES ('integrity-check', 1)`,
    );
  }
}

suite('KnowledgeStore', () => {
  test('an entry keeps its id and birth; the rest is replaced', () => {
    const life = new Life();
    const id = life.write('wren', 'ports', 'the broker has 7888');
    life.write('anvil', 'ports', 'mine');
    life.write('wren', 'ports', 'the broker has 7999');
    assert.deepEqual(life.store.find('wren', 'ports'), {
      id,
      owner: 'wren',
      topic: 'ports',
      content: 'the broker has 7999',
      shared: false,
      updatedAt: '2026-06-01 12:00:20',
    });
    const [row] = life.rows('knowledge') as Record<string, unknown>[];
    assert.equal(row?.['created_at'], '2026-06-01 12:00:00');
    assert.deepEqual(
      [row?.['embedding'], row?.['embed_model'], row?.['embed_dim']],
      Array(3).fill(null),
    );
    assert.equal(life.store.find('wren', 'PORTS'), undefined);
    assert.deepEqual(life.ids('7888'), [[]]);
    assert.deepEqual(life.ids('7999'), [[id]]);
    life.checkIndex();
  });

  test('an absent flag keeps what is, and the side table says who shared it and when', () => {
    const life = new Life();
    const id = life.write('wren', 'a', '1');
    life.share(id, true);
    life.write('wren', 'a', '2');
    assert.equal(life.store.find('wren', 'a')?.shared, true);
    const sharing = () =>
      (life.rows('knowledge_state') as Record<string, unknown>[]).map((row) => [
        row['shared_by'],
        row['shared_at'],
      ]);
    assert.deepEqual(sharing(), [['operator', '2026-06-01 12:00:10']]);
    life.write('wren', 'a', '3', { shared: false });
    assert.equal(life.store.find('wren', 'a')?.shared, false);
    assert.deepEqual(sharing(), [[null, null]]);
    life.write('operator', 'b', '1', { shared: true });
    assert.equal(life.store.find('operator', 'b')?.shared, true);
    assert.deepEqual(sharing()[1], ['operator', '2026-06-01 12:00:40']);
  });

  test('no two versions have one time, however quickly they follow or the clock is set', () => {
    const life = new Life();
    const times = [noon, noon, noon + 500, noon - 60_000, noon + 60_000].map((at, i) => {
      life.apply('knowledge.stored', 'wren', { topic: 'a', content: `${i % 2}` }, at);
      return life.store.find('wren', 'a')?.updatedAt.slice(11);
    });
    assert.deepEqual(times, ['12:00:00', '12:00:01', '12:00:02', '12:00:03', '12:01:00']);
  });

  test('keeps the last 20 versions before, and no copy of what was written again', () => {
    const life = new Life();
    for (let i = 0; i < 30; i++) life.write('wren', 'a', `version ${i}`);
    life.write('wren', 'a', 'version 29');
    life.write('wren', 'b', 'other');
    life.write('wren', 'b', 'another');
    const kept = life.rows('knowledge_history') as Record<string, unknown>[];
    const ofFirst = kept.filter((row) => row['entry_id'] === 1);
    assert.deepEqual(
      ofFirst.map((row) => row['content']),
      Array.from({ length: 20 }, (_, i) => `version ${i + 9}`),
    );
    assert.deepEqual(kept.at(-1), {
      entry_id: 32,
      version: 32,
      content: 'other',
      updated_at: '2026-06-01 12:05:10',
    });
  });

  test('lists the newest update first, of everybody or of one', () => {
    const life = new Life();
    const [a, b, c] = [
      life.write('wren', 'a', '1'),
      life.write('anvil', 'b', '1'),
      life.write('wren', 'c', '1'),
    ];
    // A clock set back makes it no older.
    life.apply('knowledge.stored', 'wren', { topic: 'a', content: '2' }, noon - 60_000);
    const ids = (owner?: string) => [...life.store.list(owner)].map(({ id }) => id);
    assert.deepEqual(ids(), [a, c, b]);
    assert.deepEqual(ids('wren'), [a, c]);
    assert.deepEqual(ids('nobody'), []);
    assert.equal(life.store.count('wren'), 2);
  });

  test('finds stems, without accents and case; a word in the topic counts more', () => {
    const life = new Life();
    const content = life.write('wren', 'misc', 'Restarting the bróker');
    const topic = life.write('wren', 'restarts', 'how to do it well');
    life.write('wren', 'other', 'nothing here');
    assert.deepEqual(life.ids('restarted'), [[topic, content]]);
    assert.deepEqual(life.ids('BROKER'), [[content]]);
    assert.deepEqual(life.ids('broker restart'), [[], [content], [content, topic]]);
  });

  test('of equals the newer comes first, then the higher id', () => {
    const life = new Life();
    const first = life.write('wren', 'a', 'same words');
    const second = life.apply(
      'knowledge.stored',
      'wren',
      { topic: 'b', content: 'same words' },
      noon,
    );
    const third = life.apply(
      'knowledge.stored',
      'wren',
      { topic: 'c', content: 'same words' },
      noon,
    );
    assert.deepEqual(life.ids('same')[0], [third, second, first]);
    life.write('wren', 'a', 'same words');
    assert.deepEqual(life.ids('same')[0], [first, third, second]);
    assert.deepEqual(life.ids('same', all, 2)[0], [first, third]);
  });
});

const names = ['operator', 'wren', 'anvil', 'flint'] as const;
const vocabulary = fc.constantFrom('broker', 'port', 'restart', 'token', 'Überlauf', '東京', 'NOT');
const phrase = fc.array(vocabulary, { minLength: 1, maxLength: 5 }).map((words) => words.join(' '));
const storing = fc.record({
  owner: fc.constantFrom(...names),
  topic: fc.constantFrom('a', 'b', 'c\0', 'a\ud800'),
  content: fc.oneof(phrase, fc.string({ unit: 'binary', minLength: 1 })),
  shared: fc.option(fc.boolean(), { nil: undefined }),
});
const sharing = fc.record({
  pick: fc.nat(),
  shared: fc.boolean(),
  owner: fc.constantFrom(...names),
});
const lives = fc.array(fc.oneof({ weight: 4, arbitrary: storing }, sharing), { maxLength: 60 });

function live(
  steps: readonly (typeof lives extends fc.Arbitrary<(infer Step)[]> ? Step : never)[],
) {
  const life = new Life();
  const ids = new Set<number>();
  for (const [i, step] of steps.entries()) {
    if ('topic' in step) {
      const { owner, ...body } = step;
      // Several in one second, now and then.
      life.apply('knowledge.stored', owner, body, noon + i * 300);
      const id = life.store.find(owner, step.topic)?.id;
      if (id) ids.add(id);
    } else if (ids.size > 0) {
      life.share([...ids][step.pick % ids.size] ?? 0, step.shared, step.owner);
    }
  }
  return life;
}

suite('KnowledgeStore, whatever happens', () => {
  test('a rebuild from the journal gives the same tables, ids included, and a sound index', () => {
    fc.assert(
      fc.property(lives, (steps) => {
        const life = live(steps);
        const before = life.dump();
        const found = life.ids('broker port');
        life.checkIndex();
        rebuildProjections(life.database, [life.store]);
        assert.deepEqual(life.dump(), before);
        assert.deepEqual(life.ids('broker port'), found);
        life.checkIndex();
        life.database.close();
      }),
      { numRuns: 60 },
    );
  });

  test('a search finds nothing outside its scope', () => {
    const flags = fc.record({
      own_agent: fc.boolean(),
      shared: fc.boolean(),
      peers: fc.subarray<string>([...names]),
    });
    fc.assert(
      fc.property(
        lives,
        fc.constantFrom(...names),
        flags,
        phrase,
        (steps, speaker, asked, text) => {
          const life = live(steps);
          const isOperator = speaker === 'operator';
          const usual = !asked.own_agent && !asked.shared && asked.peers.length === 0;
          for (const expression of expressionsFor(text)) {
            for (const entry of life.store.search(expression, scopeOf(speaker, asked), 50)) {
              const isOwn = entry.owner === speaker && (isOperator || usual || asked.own_agent);
              const isShared = entry.shared && (isOperator || usual || asked.shared);
              const ofPeer = asked.peers.includes(entry.owner) && (isOperator || entry.shared);
              assert.ok(isOwn || isShared || ofPeer, `${speaker} found ${JSON.stringify(entry)}`);
            }
          }
          life.database.close();
        },
      ),
      { numRuns: 60 },
    );
  });

  test('no text makes a search throw', () => {
    const life = new Life();
    life.write('wren', 'broker', 'port 7888 NOT OR AND NEAR');
    const syntax = fc.constantFrom('"', '*', '(', ')', '^', ':', '-', '+', '{', '}', '\0', ' ');
    const operators = fc.constantFrom('NEAR', 'OR', 'AND', 'NOT', 'NEAR(', 'topic:', 'broker');
    const nasty = fc.array(fc.oneof(syntax, operators, fc.string({ unit: 'binary' })));
    const text = fc.oneof(
      nasty.map((parts) => parts.join('')),
      nasty.map((parts) => parts.join(' ')),
    );
    fc.assert(
      fc.property(text, (each) => void life.ids(each)),
      { numRuns: 1_000 },
    );
  });
});
