import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { after, before, suite, test } from 'node:test';
import { eventually } from '../eventually.ts';
import { nexus, Place, Run, up } from './nexus-process.ts';

const names = ['anvil', 'keel', 'wren'];

interface Row {
  readonly name: string;
  readonly status: string;
}

const jsonLines = <T>(text: string): T[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);

interface Message {
  readonly id: number;
  readonly from: string;
  readonly content: string;
  readonly reply_to?: number;
}

suite('a team that is up', () => {
  let place: Place;
  let team: Run;
  const closers: (() => unknown)[] = [];
  after(async () => void (await Promise.all(closers.map((close) => close()))));
  before(async () => {
    place = new Place({ after: (close) => closers.push(close) });
    team = await up(place);
  });

  test('tells where it listens, then each member, then that it is ready', () => {
    const events = team.events();
    assert.deepEqual(
      events.map(({ event }) => event),
      ['broker', 'member', 'member', 'member', 'ready'],
    );
    const ready = events.at(-1) as { members: { name: string; state: string }[] };
    assert.deepEqual(
      ready.members.map(({ name, state }) => `${name} ${state}`).sort(),
      names.map((name) => `${name} live`),
    );
  });

  test('answers a question that mentions somebody, and the command ends', async () => {
    const asked = await nexus(place, ['chat', '@wren what do you think of BUILD.md?']);
    assert.equal(asked.stderr, '');
    assert.equal(asked.code, 0);
    assert.match(asked.stdout, /^wren \d+→\d+ {2}\S/);
    assert.ok(!asked.stdout.includes('\u001b'), 'no colours in a pipe');
  });

  test('prints one JSON object a line when asked to', async () => {
    const asked = await nexus(place, ['chat', '--json', '@wren what about backups?']);
    assert.equal(asked.code, 0);
    const messages = jsonLines<Message>(asked.stdout);
    assert.deepEqual(
      messages.map(({ from }) => from),
      ['wren'],
    );
  });

  test('shows both the hand-on and the answer of whom the question was handed to', async () => {
    const asked = await nexus(place, ['chat', '--json', '@keel ask anvil to build a page']);
    assert.equal(asked.code, 0);
    const messages = jsonLines<Message>(asked.stdout);
    assert.deepEqual(
      messages.map(({ from }) => from),
      ['keel', 'anvil'],
    );
    assert.equal(messages[1]?.reply_to, messages[0]?.id);
  });

  test('hears what is said to nobody through its coordinator', async () => {
    const asked = await nexus(place, ['chat', '--json', 'what is this team for?']);
    assert.equal(asked.code, 0);
    assert.equal(jsonLines<Message>(asked.stdout)[0]?.from, 'keel');
  });

  test('is listed by status, for people and for programs', async () => {
    const table = await nexus(place, ['status']);
    assert.equal(table.code, 0);
    for (const name of names) assert.match(table.stdout, new RegExp(`^${name}\\b.* live `, 'm'));
    const { stdout } = await nexus(place, ['status', '--json']);
    const rows = jsonLines<Row>(stdout);
    assert.deepEqual(
      rows.map(({ name, status }) => `${name} ${status}`),
      names.map((name) => `${name} live`),
    );
  });

  test('takes a piped conversation and stays for the answers', async () => {
    const input = '@wren what about tests?\n@anvil build me a boat\n';
    const piped = await nexus(place, ['chat', '--json'], { input });
    assert.equal(piped.stderr, '');
    assert.equal(piped.code, 0);
    const messages = jsonLines<Message>(piped.stdout);
    const from = (name: string) => messages.filter((message) => message.from === name);
    const [toWren, toAnvil] = from('operator');
    assert.deepEqual(
      [from('wren')[0]?.reply_to, from('anvil')[0]?.reply_to],
      [toWren?.id, toAnvil?.id],
    );
  });

  test('keeps notes of a piped conversation off the JSON', async () => {
    const input = '/reply 999999 @wren hello\n/dance\n/who\n';
    const piped = await nexus(place, ['chat', '--json'], { input });
    assert.equal(piped.code, 0);
    assert.match(piped.stderr, /there is no message 999999/);
    assert.match(piped.stderr, /\/reply ID text/);
    const rows = jsonLines<Row>(piped.stdout).filter(({ status }) => status);
    assert.equal(rows.length, 3);
  });

  test('lets a reader of the chat go away early', async () => {
    const run = new Run(place, ['chat', '--json'], { input: '@wren what is new?\n' });
    run.child.stdout?.destroy();
    const { code, stderr } = await run.ended;
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
  });

  test('brings back an aspect whose process was killed', async () => {
    const before = place.aspectProcesses().find(({ name }) => name === 'wren');
    assert.ok(before);
    process.kill(before.pid, 'SIGKILL');
    await eventually(async () => {
      const { stdout } = await nexus(place, ['status', '--json']);
      const isLive = jsonLines<Row>(stdout).some(
        (row) => row.name === 'wren' && row.status === 'live',
      );
      const now = place.aspectProcesses().find(({ name }) => name === 'wren');
      return isLive && now !== undefined && now.pid !== before.pid;
    }, 'wren live again');
    const asked = await nexus(place, ['chat', '--json', '@wren are you back? what do you do?']);
    assert.equal(asked.code, 0);
    assert.equal(jsonLines<Message>(asked.stdout)[0]?.from, 'wren');
  });
});

suite('the end of a team', () => {
  test('SIGINT stops everything in order, quickly, and the history is there next time', async (t) => {
    const place = new Place(t);
    const first = await up(place);
    const question = '@wren what do you think of BUILD.md?';
    assert.equal((await nexus(place, ['chat', question])).code, 0);

    const begun = performance.now();
    first.child.kill('SIGINT');
    const { code, stderr } = await first.ended;
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
    assert.ok(performance.now() - begun < 4_000, 'nobody had to be killed');
    assert.deepEqual(
      first
        .events()
        .slice(-2)
        .map(({ event }) => event),
      ['stopping', 'stopped'],
    );
    assert.ok(place.isQuiet);
    const log = readFileSync(place.file('data', 'logs', 'wren.log'), 'utf8');
    assert.match(log, /"reason":"SIGTERM".*link ended/);

    await up(place);
    const room = await nexus(place, ['chat', '--json', '@wren what about the same again?']);
    assert.equal(room.code, 0);
    const since = jsonLines<Message>(room.stdout)[0]?.id ?? 0;
    assert.ok(since > 4, 'ids go on where they stood');
  });

  test('SIGTERM while it is starting ends it without the summary', async (t) => {
    const place = new Place(t);
    const run = new Run(place, ['up', '--json', '--addr', '127.0.0.1:0']);
    await run.event('broker');
    run.child.kill('SIGTERM');
    const { code } = await run.ended;
    assert.equal(code, 0);
    const events = run.events().map(({ event }) => event);
    assert.ok(!events.includes('ready'), String(events));
    assert.equal(events.at(-1), 'stopped');
    assert.ok(place.isQuiet);
  });

  test('SIGKILL leaves no aspect behind, and the next start works', async (t) => {
    const place = new Place(t);
    const first = await up(place);
    assert.equal((await nexus(place, ['chat', '@wren what do you do?'])).code, 0);
    assert.equal(place.aspectProcesses().length, 2);
    first.child.kill('SIGKILL');
    await first.ended;
    await eventually(() => place.aspectProcesses().length === 0, 'aspects notice');
    assert.ok(existsSync(place.file('data', 'broker.json')), 'a kill cannot tidy up');
    const alone = await nexus(place, ['status']);
    assert.equal(alone.code, 1);
    assert.match(alone.stderr, /^nexus: no broker is running on .*nexus up.*\n$/);

    await up(place);
    const asked = await nexus(place, ['chat', '--json', '@wren and now, what do you do?']);
    assert.equal(asked.code, 0);
    assert.deepEqual(
      jsonLines<Message>(asked.stdout).map(({ from }) => from),
      ['wren'],
    );
  });

  test('SIGKILL while aspects are starting leaves none behind either', async (t) => {
    const place = new Place(t);
    const run = new Run(place, ['up', '--json', '--addr', '127.0.0.1:0']);
    await eventually(() => place.aspectProcesses().length === 2, 'aspects are being started');
    run.child.kill('SIGKILL');
    await run.ended;
    await eventually(() => place.aspectProcesses().length === 0, 'aspects notice');
  });
});
