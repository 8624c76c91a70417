import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { answerOf, heard, said, TEAM, type TeamName } from '../../../tests/fakes/loopback-team.ts';
import type { Message } from '../provider.ts';

interface Posted {
  id: number;
  from: string;
  content: string;
  replyTo?: Posted;
}

/** Opener, one answer of each aspect, and one answer for each hand-on of one aspect to another. */
const MAX_MESSAGES = 1 + TEAM.length + TEAM.length * (TEAM.length - 1);

suite('loopback aspects among themselves', () => {
  const openers = [
    'hello team @all',
    '@keel we need a login page, who can build it?',
    '@keel ask anvil to build a page and ask wren what they think about it',
    '@wren ask anvil what they think about tabs, ask them',
    '@all ask the team what they think about Friday?',
    '@anvil tell @keel to ask @wren to tell @anvil to build it?',
    '@keel @wren @anvil what do you think of each other? @all',
    '@wren "@keel @anvil what do you do?" is what I would ask',
  ];
  for (const opener of openers) {
    test(`come to an end after "${opener}"`, async () => {
      const thread = await converse('operator', opener);
      assert.ok(thread.length > 1, 'somebody answers');
      assert.ok(thread.length <= MAX_MESSAGES, `${thread.length} messages`);
    });
  }

  test('work together on what the operator asks the coordinator', async () => {
    const thread = await converse('operator', '@keel build a login page');
    assert.deepEqual(
      thread.map(({ from, replyTo }) => [from, replyTo?.from]),
      [
        ['operator', undefined],
        ['keel', 'operator'],
        ['anvil', 'keel'],
      ],
    );
  });

  test('come to an end whatever the opener', async () => {
    await fc.assert(
      fc.asyncProperty(sender, opener, async (from, text) => {
        const thread = await converse(from, text);
        assert.ok(thread.length <= MAX_MESSAGES, `${thread.length} messages`);
        for (const { from: author, content, replyTo } of thread) {
          const toAspect = replyTo !== undefined && replyTo.from !== 'operator';
          if (toAspect) assert.deepEqual(mentionsIn(content), [], `${author} calls back`);
        }
      }),
      { numRuns: 300 },
    );
  });
});

const word = fc.constantFrom(
  ...[
    '@keel',
    '@wren',
    '@anvil',
    '@all',
    'keel',
    'wren,',
    'anvil:',
    'the team',
    '@@wren',
    '(@keel)',
  ],
  ...['ask', 'tell', 'hand this to', 'what does', 'think about', 'ask them', 'to', 'let', 'know'],
  ...[
    'build',
    'review',
    'plan',
    'what do you think of',
    'who are you',
    'please',
    'hello',
    'thanks',
  ],
  ...['the page', 'it', 'this', 'me', '?', '.', '!', '\n', ':', '…'],
);
const sender = fc.constantFrom('operator', ...TEAM);
const opener = fc.oneof(
  fc.array(word, { minLength: 1, maxLength: 14 }).map((words) => words.join(' ')),
  fc.tuple(word, fc.string({ unit: 'grapheme', maxLength: 60 })).map((parts) => parts.join(' ')),
);

/** Plays one thread by the routing rule, until nobody has anything to add. */
async function converse(from: string, content: string): Promise<Posted[]> {
  const thread: Posted[] = [{ id: 1, from, content }];
  const sessions = new Map<string, Message[]>(TEAM.map((name) => [name, []]));
  for (let at = 0; at < thread.length && thread.length <= MAX_MESSAGES * 3; at++) {
    const post = thread[at];
    if (!post) break;
    for (const name of recipientsOf(post)) {
      const session = sessions.get(name) ?? [];
      session.push(heard(post.from, post.content, post.id));
      const text = await answerOf(name, ...session);
      session.push(said(text));
      if (text === '') continue;
      thread.push({ id: thread.length + 1, from: name, content: text, replyTo: post });
    }
  }
  return thread;
}

/** Mentioned names and the author of the message replied to, minus the sender. */
function recipientsOf({ from, content, replyTo }: Posted): TeamName[] {
  const called = mentionsIn(content);
  return TEAM.filter(
    (name) =>
      name !== from && (called.includes(name) || called.includes('all') || replyTo?.from === name),
  );
}

/** The broker's rule, also counting what other brokers may count: any `@name`. */
function mentionsIn(content: string): string[] {
  return [...content.matchAll(/@([A-Za-z0-9_-]+)/g)].map(([, name = '']) => name.toLowerCase());
}
