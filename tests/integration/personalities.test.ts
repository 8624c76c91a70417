import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { eventually } from '../eventually.ts';
import { restCaller } from './rest-caller.ts';
import { startNexus, temporaryFolder } from './start-nexus.ts';
import { HeldProvider, makeHome, startAspect } from './start-team.ts';

const refreshes = (client: { payloadsOf(kind: string): Record<string, unknown>[] }) =>
  client
    .payloadsOf('personality.refresh')
    .map(({ aspect, version, central_version }) => [aspect, version, central_version]);

suite('personalities', () => {
  test('only the aspect whose personality changed is told, and only of real changes', async (t) => {
    const nexus = await startNexus(t);
    const [wren, anvil] = [await nexus.aspect('wren'), await nexus.aspect('anvil')];
    const operator = await nexus.operator();
    await operator.register('operator');
    for (const soul_md of ['Kind.', 'Kind.', 'Exact.']) {
      await operator.request('personality.set', { aspect: 'wren', soul_md });
    }
    await Promise.all([wren.settled(), anvil.settled(), operator.settled()]);
    assert.deepEqual(refreshes(wren), [
      ['wren', 1, 0],
      ['wren', 2, 0],
    ]);
    assert.deepEqual([refreshes(anvil), refreshes(operator)], [[], []]);
  });

  test('through an Outpost every aspect gets its own, with its name', async (t) => {
    const nexus = await startNexus(t);
    const operator = await nexus.operator();
    const call = restCaller(nexus, nexus.operatorToken());
    const grants = ['wren', 'anvil'];
    const { body } = await call('POST', '/api/admin/tokens', { name: 'north', grants });
    const outpost = await nexus.connect(String(body['token']));
    for (const name of grants) await outpost.register(name, { via_outpost: 'north' });
    await operator.request('personality.set', { aspect: 'wren', soul_md: 'Kind.' });
    await outpost.request('personality.set', { aspect: 'anvil', soul_md: 'Strong.' });
    await outpost.until(() => refreshes(outpost).length === 2);
    const targets = outpost.frames
      .filter(({ kind }) => kind === 'personality.refresh')
      .map((frame) => (frame as { target_aspect?: string }).target_aspect);
    assert.deepEqual(targets, ['wren', 'anvil']);
    const { version, soul_md } = await outpost.request('personality.get', { aspect: 'wren' });
    assert.deepEqual([version, soul_md], [1, 'Kind.']);
    assert.equal(await outpost.refused('personality.get', {}), 'bad_request', 'it carries two');
    assert.equal(await outpost.refused('personality.set', { aspect: 'keel' }), 'forbidden');
  });

  test('outlive a restart of the broker', async (t) => {
    const dataDir = temporaryFolder(t);
    const first = await startNexus(t, { dataDir });
    const wren = await first.aspect('wren');
    await wren.request('personality.set', { soul_md: 'Kind.' });
    await wren.request('personality.set', { soul_md: 'Exact.' });
    await first.close();
    const again = await (await startNexus(t, { dataDir })).aspect('wren');
    const { version, soul_md } = await again.request('personality.get', {});
    assert.deepEqual([version, soul_md], [2, 'Exact.']);
    assert.equal((await again.request('personality.get', { version: 1 }))['soul_md'], 'Kind.');
  });

  test('a running aspect thinks with the new text from its next turn on', async (t) => {
    const nexus = await startNexus(t);
    const operator = await nexus.operator();
    const provider = new HeldProvider();
    provider.answers('Noted.');
    const home = makeHome(t, { name: 'wren' });
    writeFileSync(join(home, 'SOUL.md'), 'From the home.');
    const token = await nexus.token('wren');
    const { runtime, dials } = await startAspect(t, { url: nexus.url, token, home, provider });
    await runtime.ready();
    const promptOfNextTurn = async () => {
      const asked = provider.requests.length;
      await operator.post('@wren and now?');
      await eventually(() => provider.requests.length > asked, 'the model is asked');
      return provider.requests.at(-1)?.system?.split('\n\n---\n\n').slice(0, -1);
    };
    assert.deepEqual(await promptOfNextTurn(), ['From the home.']);

    const set = (change: object) =>
      operator.request('personality.set', { aspect: 'wren', ...change });
    await set({ soul_md: 'Kind.', nexus_md: 'Review.' });
    assert.deepEqual(await promptOfNextTurn(), ['Review.', 'Kind.']);
    await set({ soul_md: 'Exact.' });
    assert.deepEqual(await promptOfNextTurn(), ['Review.', 'Exact.']);
    await set({ soul_md: '', nexus_md: '' });
    assert.deepEqual(await promptOfNextTurn(), ['From the home.']);
    assert.equal(dials(), 1, 'without a new link');
  });

  test('an aspect that starts has its personality in its first turn', async (t) => {
    const nexus = await startNexus(t);
    const operator = await nexus.operator();
    const token = await nexus.token('wren');
    await operator.request('personality.set', { aspect: 'wren', soul_md: 'Kind.' });
    await operator.post('@wren before you came');
    const provider = new HeldProvider();
    provider.answers('Noted.');
    const home = makeHome(t, { name: 'wren' });
    writeFileSync(join(home, 'SOUL.md'), 'From the home.');
    await startAspect(t, { url: nexus.url, token, home, provider });
    await eventually(() => provider.requests.length > 0, 'the model is asked');
    assert.match(provider.requests[0]?.system ?? '', /^Kind\./);
  });
});
