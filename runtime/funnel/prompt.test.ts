import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { type AspectHome, loadAspectHome } from '#shared/config/aspect-json';
import { temporaryFolder } from '../session/test-kit.ts';
import { composePrompt, renderMessage } from './prompt.ts';

function homeWith(t: TestContext, files: Record<string, string>, title?: string): AspectHome {
  const path = temporaryFolder(t);
  const config = { name: 'wren', context_mode: 'thread', ...(title && { title }) };
  writeFileSync(join(path, 'aspect.json'), JSON.stringify(config));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text);
  return loadAspectHome(path);
}

suite('composePrompt', () => {
  test('joins the documents in order, then says who and where it is', async (t) => {
    const files = { 'PRIMER.md': 'Third.\n', 'SOUL.md': 'Second.\n', 'NEXUS.md': 'First.\n' };
    const home = homeWith(t, files, 'reviewer');
    const { text } = await composePrompt(home, 'keel (coordinator), wren (reviewer)');
    const [first, second, third, guidance, ...rest] = text.split('\n\n---\n\n');
    assert.deepEqual([first, second, third, rest], ['First.', 'Second.', 'Third.', []]);
    assert.match(guidance ?? '', /^You are wren, the team's reviewer\.\nYour team: keel \(coord/);
  });

  test('is there without any document, title or team', async (t) => {
    const { text } = await composePrompt(homeWith(t, {}), '');
    assert.match(text, /^You are wren\.\nYou talk in a shared chat room\./);
  });

  test('takes CLAUDE.md only where there is no NEXUS.md', async (t) => {
    const old = await composePrompt(homeWith(t, { 'CLAUDE.md': 'Old.' }), '');
    assert.match(old.text, /^Old\./);
    const both = await composePrompt(homeWith(t, { 'CLAUDE.md': 'Old.', 'NEXUS.md': 'New.' }), '');
    assert.match(both.text, /^New\./);
    assert.ok(!both.text.includes('Old.'));
  });

  test('takes the broker’s documents instead of the home’s, the central one first', async (t) => {
    const home = homeWith(t, { 'NEXUS.md': 'Home.', 'PRIMER.md': 'Home too.' });
    const sections = async (central_nexus_md: string, composed: string) => {
      const { text } = await composePrompt(home, '', { central_nexus_md, composed });
      return text.split('\n\n---\n\n').slice(0, -1);
    };
    assert.deepEqual(await sections('Us.', 'Given.'), ['Us.', 'Given.']);
    assert.deepEqual(await sections('', 'Given.'), ['Given.']);
    assert.deepEqual(await sections('Us.', ' \n'), ['Us.', 'Home.', 'Home too.']);
  });

  test('has the same hash until a document changes', async (t) => {
    const home = homeWith(t, { 'SOUL.md': 'Kind.' });
    const first = await composePrompt(home, '');
    assert.equal((await composePrompt(home, '')).sha256, first.sha256);
    writeFileSync(join(home.path, 'SOUL.md'), 'Exact.');
    assert.notEqual((await composePrompt(home, '')).sha256, first.sha256);
  });
});

test('a message is rendered with who wrote it and in which thread', () => {
  const message = { id: 9, from: 'keel', content: 'look\nhere', received_at: 'now' };
  assert.equal(renderMessage(message), '[message 9 from keel in thread 9]\nlook\nhere');
  const reply = renderMessage({ ...message, thread_root: 4 });
  assert.equal(reply, '[message 9 from keel in thread 4]\nlook\nhere');
});
