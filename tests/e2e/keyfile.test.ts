import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { suite, test } from 'node:test';
import { eventually } from '../eventually.ts';
import { aspectProcess } from '../integration/start-team.ts';
import { nexus, Place, plainEnv, Run, up } from './nexus-process.ts';

const wrenHome = { name: 'wren', context_mode: 'thread', provider: 'loopback' };

/** A broker without a team, in a place of its own. */
async function serve(place: Place): Promise<Run> {
  const run = new Run(place, ['serve', '--json', '--addr', '127.0.0.1:0']);
  await run.event('ready');
  return run;
}

/** Whether anybody is in the roster. */
async function isRegistered(place: Place, broker: Run): Promise<boolean> {
  const token = readFileSync(place.file('data', 'operator.token'), 'utf8').trim();
  const headers = { authorization: `Bearer ${token}` };
  const response = await fetch(`${broker.events()[0]?.['url']}/api/aspects`, { headers });
  return ((await response.json()) as { aspects: unknown[] }).aspects.length > 0;
}

suite('an aspect that is enrolled', () => {
  test('starts with its keyfile, works, and ends when it is retired', async (t) => {
    const place = new Place(t, { empty: true });
    const broker = await serve(place);
    place.writeAspect('wren', wrenHome);
    const enrolled = await nexus(place, ['aspect', 'enroll', 'wren', '--json']);
    assert.equal(enrolled.code, 0, enrolled.stderr);
    const { keyfile, keyfile_version, start } = JSON.parse(enrolled.stdout);
    assert.equal(keyfile, place.file('data', 'keyfiles', 'wren.keyfile.json'));
    assert.equal(keyfile_version, 1);
    assert.match(start, /runtime.cmd.aspect\.ts --home HOME --keyfile /);
    assert.equal(statSync(keyfile).mode & 0o777, 0o600);

    const env = { ...plainEnv(), NEXUS_TOKEN: 'not looked at' };
    const wren = aspectProcess(t, {
      home: place.file('agents', 'wren'),
      args: ['-k', keyfile],
      env,
    });
    await eventually(() => isRegistered(place, broker), 'wren registers');
    const asked = await nexus(place, ['chat', '@wren are you there?', '--json']);
    assert.equal(asked.code, 0, `${asked.stderr}\n${wren.stderr}`);
    assert.match(asked.stdout, /"from":"wren"/);
    const retired = await nexus(place, ['aspect', 'retire', 'WREN', '--json']);
    assert.equal(JSON.parse(retired.stdout)['status'], 'retired');
    assert.equal(await wren.ended, 1);
    assert.match(wren.stderr, /does not take this keyfile: retired\n$/);
    const back = await nexus(place, ['aspect', 'enroll', 'wren']);
    assert.deepEqual([back.code, back.stdout], [1, '']);
    assert.match(back.stderr, /wren is retired; resurrect it first/);
  });

  test('is refused with a bad keyfile as badly configured', async (t) => {
    const place = new Place(t, { empty: true });
    place.writeAspect('wren', wrenHome);
    const wren = aspectProcess(t, {
      home: place.file('agents', 'wren'),
      env: { ...plainEnv(), NEXUS_KEYFILE: place.file('agents', 'wren', 'aspect.json') },
    });
    assert.equal(await wren.ended, 2);
    assert.match(wren.stderr, /aspect\.json is no keyfile that this version knows/);
  });
});

test('nexus up leaves out who is retired, and says so', async (t) => {
  const place = new Place(t, { empty: true });
  const broker = await serve(place);
  place.writeAspect('wren', wrenHome);
  assert.equal((await nexus(place, ['token', 'wren'])).code, 0);
  assert.equal((await nexus(place, ['aspect', 'retire', 'wren'])).code, 0);
  await broker.kill();
  const run = await up(place);
  const member = await run.event('member');
  assert.deepEqual([member['name'], member['state']], ['wren', 'failed']);
  assert.match(String(member['problem']), /nexus aspect resurrect wren$/);
  assert.deepEqual(place.aspectProcesses(), []);
});

suite('nexus aspect', () => {
  test('works through the broker and without it, whatever the order of its words', async (t) => {
    const place = new Place(t, { empty: true });
    const aspect = (...args: string[]) => nexus(place, ['aspect', ...args]);
    const nowhere = await aspect('list');
    assert.equal(nowhere.code, 2);
    assert.match(nowhere.stderr, /^nexus: there is no instance in .*nexus up/);

    const broker = await serve(place);
    const out = place.file('wren.json');
    const minted = await aspect('mint', '--out', out, 'wren', '--provider', 'p', '--model', 'm');
    assert.equal(minted.code, 0, minted.stderr);
    assert.match(minted.stdout, /wren\.json is keyfile version 1 of wren, for ws:\/\/127/);
    assert.equal(JSON.parse(readFileSync(out, 'utf8')).format, 'nexus-keyfile-v1');
    await broker.kill();

    const homeless = await aspect('mint', 'wren', '--out', out);
    assert.equal(homeless.code, 1);
    assert.match(homeless.stderr, /--nexus-url wss:/);
    const url = ['--nexus-url', 'https://hub.example:7888'];
    const again = await aspect(...url, 'mint', 'Wren', '--out', out, '--json');
    assert.equal(again.code, 0, again.stderr);
    const { name, keyfile_version, nexus_url } = JSON.parse(again.stdout);
    assert.deepEqual(
      { name, keyfile_version, nexus_url },
      { name: 'wren', keyfile_version: 2, nexus_url: 'wss://hub.example:7888/connect' },
    );
    for (const verb of ['retire', 'resurrect']) {
      assert.equal((await aspect(verb, 'wren')).code, 0, verb);
    }
    const status = JSON.parse((await aspect('status', 'WREN', '--json')).stdout);
    assert.deepEqual(
      [status.status, status.keyfile_version, status.has_keyfile, status.provider],
      ['active', 3, false, 'p'],
    );
    await serve(place);
    const { stdout } = await aspect('list');
    assert.match(stdout, /^wren +active +to be minted/m, 'what was done without it is there');
  });

  test('says what is wrong, with the exit code of its kind', async (t) => {
    const place = new Place(t, { empty: true });
    const broker = await serve(place);
    const url = String(broker.events()[0]?.['url']);
    const refusals: [string[], number, RegExp][] = [
      [['aspect'], 2, /which verb\?/],
      [['aspect', 'enrol', 'wren'], 2, /nknown|enroll/],
      [['aspect', 'mint', 'wren'], 2, /out/],
      [['aspect', 'enroll', '../wren'], 1, /is not a name/],
      [['aspect', 'status', 'wren'], 1, /no keyfile was ever minted/],
      [['aspect', 'mint', 'wren', '--out', '.'], 1, /cannot write/],
      [['aspect', 'mint', 'wren', '--out', 'k', '--nexus-url', 'hub'], 1, /write an address/],
      [['aspect', 'list', '--via', 'http://127.0.0.1:1'], 1, /cannot reach/],
    ];
    for (const [args, code, says] of refusals) {
      const outcome = await nexus(place, args);
      assert.equal(outcome.code, code, `${args.join(' ')}: ${outcome.stderr}`);
      assert.match(outcome.stderr, says);
      assert.match(outcome.stderr, /^nexus: [^\n]+\n$/);
    }
    const env = { NEXUS_ADMIN_TOKEN: 'wrong' };
    const foreign = await nexus(place, ['aspect', 'list', '--via', url], { env });
    assert.equal(foreign.code, 1);
    assert.match(foreign.stderr, /invalid bearer token/);
    const none = await nexus(place, ['aspect', 'list', '--via', url]);
    assert.deepEqual([none.code, none.stdout], [0, 'no aspect was ever given a keyfile here\n']);
  });
});
