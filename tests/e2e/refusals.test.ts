import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { suite, type TestContext, test } from 'node:test';
import { nexus, type Outcome, Place, Run, type RunOptions, up } from './nexus-process.ts';

/** One line on standard error that says what to do, this exit code, and nothing else. */
function assertRefused({ code, signal, stderr }: Outcome, wanted: { code: number; says: RegExp }) {
  assert.deepEqual({ code, signal }, { code: wanted.code, signal: null }, stderr);
  assert.match(stderr, /^nexus: [^\n]+\n$/);
  assert.match(stderr, wanted.says);
}

/** `nexus up` in a place, refused with exit code 2 and nothing left behind. */
async function assertUpRefused(
  place: Place,
  flags: readonly string[],
  says: RegExp,
  options: RunOptions = {},
): Promise<void> {
  const args = ['up', '--json', ...(flags.includes('--addr') ? [] : ['--addr', '127.0.0.1:0'])];
  const run = new Run(place, [...args, ...flags], options);
  const outcome = await run.ended;
  assertRefused(outcome, { code: 2, says });
  assert.ok(!outcome.stdout.includes('"ready"'), outcome.stdout);
  assert.ok(place.isQuiet, 'no process and no endpoint file is left');
}

/** What the refusal left can be used: the data directory is not locked. */
async function assertStartsNow(place: Place): Promise<void> {
  const run = new Run(place, ['serve', '--json', '--addr', '127.0.0.1:0']);
  await run.event('ready');
  await run.kill();
}

/** A port that somebody else has. */
async function takenPort(t: TestContext): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const address = server.address();
  assert.ok(address && typeof address === 'object');
  return address.port;
}

suite('a start that cannot be', () => {
  test('because the port is in use names the port and the way out', async (t) => {
    const place = new Place(t);
    const port = await takenPort(t);
    const says = new RegExp(`port ${port} on 127.0.0.1 is in use; .*--addr 127.0.0.1:0`);
    await assertUpRefused(place, ['--addr', `127.0.0.1:${port}`], says);
    await assertStartsNow(place);
  });

  test('because there is no such transport names those there are', async (t) => {
    const says = /--transport udp: it is ws, uws or auto/;
    await assertUpRefused(new Place(t), ['--transport', 'udp'], says);
  });

  test('because the data directory cannot be made names it', async (t) => {
    const place = new Place(t);
    writeFileSync(place.file('in-the-way'), '');
    const dataDir = place.file('in-the-way', 'data');
    await assertUpRefused(place, ['--data-dir', dataDir], /in-the-way.*choose another --data-dir/);
  });

  test('because the data directory is a file names it', async (t) => {
    const place = new Place(t);
    writeFileSync(place.file('data'), '');
    await assertUpRefused(place, [], /data directory .*data .*choose another --data-dir/);
  });

  test('because another broker has the data directory leaves that one undisturbed', async (t) => {
    const place = new Place(t);
    const first = await up(place);
    const flags = ['--json', '--addr', '127.0.0.1:0'];
    for (const command of ['up', 'serve']) {
      const second = await nexus(place, [command, ...flags]);
      assertRefused(second, {
        code: 2,
        says: /another broker is using .*choose another --data-dir/,
      });
    }
    assert.equal(first.child.exitCode, null);
    assert.ok(existsSync(place.file('data', 'broker.json')));
    assert.equal((await nexus(place, ['chat', '@wren what do you do?'])).code, 0);
  });

  test('because the folder of homes is missing names it', async (t) => {
    const place = new Place(t);
    await assertUpRefused(
      place,
      ['--aspect-dir', './nowhere'],
      /no folder .*nowhere; .*--aspect-dir/,
    );
    assert.ok(!existsSync(place.file('data')), 'homes are checked before anything is made');
  });

  test('because plain HTTP would leave this machine names every way out', async (t) => {
    const place = new Place(t);
    const says =
      /plain HTTP on 0\.0\.0\.0: make .*nexus cert init, pass --tls-cert and --tls-key, or listen on 127\.0\.0\.1/;
    await assertUpRefused(place, ['--addr', '0.0.0.0:0'], says);
    await assertUpRefused(place, ['--addr', ':0'], says);
    assert.ok(!existsSync(place.file('data')));
  });

  test('because --addr is no address shows how one looks', async (t) => {
    const place = new Place(t);
    for (const addr of ['nonsense', '127.0.0.1', '127.0.0.1:99999', '127.0.0.1:http']) {
      await assertUpRefused(place, ['--addr', addr], /--addr .*: write host:port, like 127/);
    }
  });

  test('because only half of the TLS files is given, or one cannot be read', async (t) => {
    const place = new Place(t);
    await assertUpRefused(
      place,
      ['--tls-cert', 'cert.pem'],
      /--tls-cert and --tls-key go together/,
    );
    const both = ['--tls-cert', 'cert.pem', '--tls-key', 'key.pem'];
    await assertUpRefused(
      place,
      both,
      /cannot read the TLS files .*check --tls-cert and --tls-key/,
    );
  });

  test('because nobody knows the provider names those that are known', async (t) => {
    const place = new Place(t);
    await assertUpRefused(place, ['--provider', 'nonsense'], /keel .*"nonsense"; known are: auto/);
    await assertStartsNow(place);
  });

  test('because the coordinator lacks its key says where to put one', async (t) => {
    const place = new Place(t);
    await assertUpRefused(place, ['--provider', 'anthropic'], /keel .*set ANTHROPIC_API_KEY/);
  });
});

suite('a broken aspect.json', () => {
  const wren = { name: 'wren', context_mode: 'thread', provider: 'auto' };
  const broken: readonly [string, string | object, RegExp][] = [
    ['is not JSON', '{"name": "plumb",', /plumb.aspect\.json: .*JSON/],
    ['has a wrong type', { ...wren, name: 'plumb', limits: 5 }, /aspect\.json: \/limits /],
    ['lacks a member', { name: 'plumb' }, /aspect\.json: .*context_mode/],
    [
      'has a bad name',
      { ...wren, name: 'no good' },
      /aspect\.json: \/name "no good" is not a name/,
    ],
    ['has a reserved name', { ...wren, name: 'all' }, /aspect\.json: \/name "all" is reserved/],
    ['has the name of another', { ...wren, name: 'WREN' }, /both called wren; rename one/i],
    [
      'makes a second coordinator',
      { ...wren, name: 'plumb', role: 'frame' },
      /only one .*keel, plumb/,
    ],
  ];
  for (const [what, content, says] of broken) {
    test(`that ${what} stops the start and is named`, async (t) => {
      const place = new Place(t);
      place.writeAspect('plumb', content);
      await assertUpRefused(place, [], says);
      assert.ok(!existsSync(place.file('data')), 'homes are checked before anything is made');
    });
  }

  test('with an unknown member is noted and used', async (t) => {
    const place = new Place(t);
    place.writeAspect('wren', { ...wren, colour: 'brown' });
    const run = await up(place);
    const note = run.events().find(({ event }) => event === 'note');
    assert.match(String(note?.['text']), /"colour" is not known and has no effect/);
  });
});

suite('a command line that makes no sense', () => {
  const lines: readonly [string, readonly string[], RegExp][] = [
    ['without a command', [], /which command\? .*nexus --help/],
    ['with an unknown command', ['frobnicate'], /frobnicate .*nexus --help/],
    ['with a misspelt command', ['stats'], /status.*nexus --help/],
    ['with an unknown flag', ['up', '--frob'], /frob .*nexus --help/],
    ['with an argument too many', ['status', 'wren'], /wren .*nexus --help/],
    ['with a word for a number', ['chat', '--timeout', 'soon', 'hi'], /--timeout takes a number/],
    ['with a level that is none', ['serve', '--log-level', 'loud'], /log-level.*loud/],
  ];
  for (const [what, args, says] of lines) {
    test(`${what} is refused with the way to the help`, async (t) => {
      const place = new Place(t);
      assertRefused(await nexus(place, args), { code: 2, says });
      assert.ok(!existsSync(place.file('data')));
    });
  }
});

suite('a command that needs a broker', () => {
  for (const args of [['chat', '@wren hi'], ['chat'], ['status'], ['token', 'wren']]) {
    test(`nexus ${args.join(' ')} without one says how to start one`, async (t) => {
      const place = new Place(t);
      const says = /no broker is running on .*data; start one with: nexus up/;
      assertRefused(await nexus(place, args), { code: 1, says });
      assert.ok(!existsSync(place.file('data')), 'asking makes nothing');
    });
  }

  test('with a --url where nothing listens, or that is none, says so', async (t) => {
    const place = new Place(t);
    const server = new Run(place, ['serve', '--json', '--addr', '127.0.0.1:0']);
    const { url } = await server.event('ready');
    await server.kill();
    rmSync(place.file('data', 'broker.json'));
    for (const command of [['chat', 'hi'], ['status'], ['token', 'wren']]) {
      const away = await nexus(place, [...command, '--url', String(url)]);
      assertRefused(away, { code: 1, says: /cannot reach http:.*nexus up starts one/ });
      const nonsense = await nexus(place, [...command, '--url', 'nonsense']);
      assertRefused(nonsense, { code: 1, says: /--url nonsense: write an address like http:/ });
    }
  });

  test('with the token of another instance says that it was refused', async (t) => {
    const [place, other] = [new Place(t), new Place(t)];
    const server = new Run(place, ['serve', '--json', '--addr', '127.0.0.1:0']);
    const { url } = await server.event('ready');
    const theirs = new Run(other, ['serve', '--json', '--addr', '127.0.0.1:0']);
    await theirs.event('ready');
    const says = /refused the operator's token; pass its own --data-dir/;
    for (const command of [['chat', 'hi'], ['status']]) {
      assertRefused(await nexus(other, [...command, '--url', String(url)]), { code: 1, says });
    }
  });
});
