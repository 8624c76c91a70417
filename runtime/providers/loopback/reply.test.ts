import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { answerOf, heard, said, type TeamName } from '../../../tests/fakes/loopback-team.ts';
import { LOOPBACK_NOTE } from './reply.ts';

const asked = (name: TeamName, content: string) => answerOf(name, heard('operator', content));

suite('what a loopback aspect answers', () => {
  test('greets back, also by name', async () => {
    for (const greeting of ['Hello!', 'hi wren', 'Good morning, team', '@wren hey']) {
      assert.match(await asked('wren', greeting), /^Hello\. I am wren, reviewer/, greeting);
    }
  });

  test('describes itself from the first paragraph of its documents', async () => {
    for (const question of ['Who are you?', '@wren what do you do?', 'hi, introduce yourself']) {
      assert.match(
        await asked('wren', question),
        /^I am wren, and I review what the team makes\. I read every change to the end\./,
        question,
      );
    }
  });

  test('knows its team', async () => {
    assert.match(
      await asked('anvil', 'Who is on your team?'),
      /I am anvil \(builder\), and I work with keel \(coordinator\) and wren \(reviewer\)\./,
    );
  });

  test('gives a view that names the topic, its role and a fitting principle', async () => {
    for (const question of ['What do you think of the new cache?', 'review the new cache please']) {
      const answer = await asked('wren', question);
      assert.match(answer, /^About the new cache, as reviewer of this team:/, question);
      assert.match(answer, /Name the risk of a cache first, then the remedy\./);
    }
  });

  test('resolves a bare "this" to the message before', async () => {
    const answer = await answerOf(
      'wren',
      heard('operator', 'We cache every page for an hour.', 40),
      said('Noted.'),
      heard('operator', 'what do you think about this?'),
    );
    assert.match(answer, /^About this: We cache every page for an hour, as reviewer/);
  });

  test('restates any other request and says what it would do', async () => {
    const answer = await asked('anvil', 'Could you fix my page for me?');
    assert.match(answer, /^You would like me to fix your page for you\. As builder:/);
    assert.match(answer, /- Start with the smallest thing that runs\./);
  });

  test('answers differently to different matters, and the same to the same', async () => {
    const first = await asked('anvil', 'write a haiku');
    assert.equal(await asked('anvil', 'write a haiku'), first);
    assert.notEqual(await asked('anvil', 'write an essay'), first);
  });

  test('says once in a conversation that no language model is behind it', async () => {
    const first = await asked('wren', 'hello');
    assert.ok(first.endsWith(LOOPBACK_NOTE));
    const second = await answerOf(
      'wren',
      heard('operator', 'hello', 40),
      said(first),
      heard('operator', 'who are you?'),
    );
    assert.ok(!second.includes(LOOPBACK_NOTE));
  });

  test('calls nobody by quoting', async () => {
    assert.doesNotMatch(await asked('anvil', 'build a page that says @wren @@keel x@all'), /@/);
  });
});

suite('what a loopback aspect passes on', () => {
  const cases: [string, string][] = [
    ['ask anvil to build a status page', '@anvil build a status page'],
    ['Could you please ask @anvil to build a status page?', '@anvil build a status page'],
    ['what does anvil think about SQLite, ask them', '@anvil what do you think about SQLite?'],
    ['ask anvil what they think of SQLite', '@anvil what do you think about SQLite?'],
    ["What's anvil's view on SQLite?", '@anvil what do you think about SQLite?'],
    ['ask anvil whether it is done', '@anvil please say whether it is done'],
    ['tell @anvil that the key changed', '@anvil please note: the key changed'],
    ['let anvil know the key changed', '@anvil please note: the key changed'],
    ['hand the login page to @anvil', '@anvil please take this on: the login page'],
    ['Hand this to anvil: build the login page', '@anvil build the login page'],
    ['Our site is slow. Ask anvil to fix it.', '@anvil fix it (this is about: Our site is slow)'],
  ];
  for (const [content, line] of cases) {
    test(`"${content}"`, async () => {
      assert.deepEqual(callingLines(await asked('wren', content)), [line]);
    });
  }

  test('passes on what "this" refers to', async () => {
    const answer = await answerOf(
      'wren',
      heard('operator', 'We need a search box.', 40),
      heard('operator', 'hand this to anvil'),
    );
    assert.deepEqual(callingLines(answer), ['@anvil please take this on: We need a search box']);
  });

  test('asks several teammates, or all of them', async () => {
    const both = ['@keel what do you think about Z?', '@anvil what do you think about Z?'];
    for (const who of ['keel and anvil', 'the team', 'anvil, @keel']) {
      assert.deepEqual(callingLines(await asked('wren', `ask ${who} about Z`)), both);
    }
  });

  test('does not call somebody who is not in the team', async () => {
    const answer = await asked('wren', 'ask nobody-here to build it');
    assert.deepEqual(callingLines(answer), []);
    assert.match(answer, /^You would like me to ask nobody-here to build it\./);
  });

  test('does nothing when the request is its own', async () => {
    assert.deepEqual(callingLines(await asked('anvil', 'ask anvil to build it')), []);
  });
});

suite('whom a coordinator chooses', () => {
  const cases: [string, string][] = [
    ['Build a landing page', '@anvil build a landing page'],
    ['We need a login page.', '@anvil please take this on: We need a login page.'],
    ['review the release notes', '@wren review the release notes'],
    ['Is the cache safe?', '@wren is the cache safe?'],
    ['What is the best colour?', '@wren what is the best colour?'],
  ];
  for (const [content, line] of cases) {
    test(`"${content}"`, async () => {
      assert.deepEqual(callingLines(await asked('keel', content)), [line]);
    });
  }

  test('keeps what is its own: coordinating, and questions about itself', async () => {
    for (const content of ['plan the launch', 'who are you?', 'what do you think of the page?']) {
      assert.deepEqual(callingLines(await asked('keel', content)), [], content);
    }
  });

  test('does not repeat what its teammate was told directly', async () => {
    assert.deepEqual(callingLines(await asked('keel', '@keel @anvil build a page')), []);
  });

  test('is a matter for coordinators only', async () => {
    assert.deepEqual(callingLines(await asked('wren', 'Build a landing page')), []);
  });
});

suite('when a loopback aspect stays silent', () => {
  const silentOn: [TeamName, string, string][] = [
    ['anvil', 'keel', 'It is done.'],
    ['anvil', 'keel', 'What should we do?'],
    ['anvil', 'keel', '@anvil thanks, that is great'],
    ['anvil', 'keel', 'I agree with @anvil here.'],
    ['anvil', 'keel', '@wren can you look at what anvil built?'],
    ['anvil', 'operator', '@keel ask @anvil to build a page'],
    ['anvil', 'operator', 'wren, look at this'],
  ];
  for (const [name, from, content] of silentOn) {
    test(`${name}, hearing from ${from}: "${content}"`, async () => {
      assert.equal(await answerOf(name, heard(from, content)), '');
    });
  }

  const answersTo: [string, RegExp][] = [
    ['@anvil build a page', /^You would like me to build a page/],
    ['Here is news.\n\n@anvil what do you think about Z?', /^About Z, as builder/],
    ['The cache is slow. Could you look at it, @anvil?', /^You would like me to look at it/],
    ['anvil: are you there?', /^You ask: are you there\?/],
    ['@all what do you think about Z?', /^About Z/],
    ['@anvil ask wren to build a page', /^You would like me to ask wren/],
  ];
  for (const [content, answer] of answersTo) {
    test(`but answers an aspect that asks: ${JSON.stringify(content)}`, async () => {
      const text = await answerOf('anvil', heard('keel', content));
      assert.match(text, answer);
      assert.deepEqual(callingLines(text), [], 'and calls nobody');
    });
  }
});

/** The lines that call somebody. */
function callingLines(answer: string): string[] {
  return answer.split('\n').filter((line) => /@[\w-]/.test(line));
}
