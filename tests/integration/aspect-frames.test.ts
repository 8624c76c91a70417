import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { startNexus } from './start-nexus.ts';

suite('aspect.activity', () => {
  test('reaches operators who subscribed, until they do not', async (t) => {
    const nexus = await startNexus(t);
    const wren = await nexus.aspect('wren');
    const anvil = await nexus.aspect('anvil');
    const operator = await nexus.operator();
    const other = await nexus.operator();
    wren.send('aspect.activity', { type: 'turn.start', aspect_id: 'wren' });
    await wren.settled();
    await operator.request('subscribe.aspect_status', {}, 'subscribe.ack');
    wren.send('aspect.activity', { type: 'turn.tool_call', payload: { name: 'bash' } });
    anvil.send('aspect.activity', { type: 'queued' });
    await operator.until(() => operator.payloadsOf('aspect.status_pulse').length === 2);
    const pulses = operator.payloadsOf('aspect.status_pulse');
    const seen = pulses.map(({ aspect, phase, detail }) => [aspect, phase, detail]);
    assert.deepEqual(seen.sort(), [
      ['anvil', 'queued', undefined],
      ['wren', 'tool', 'bash'],
    ]);
    await operator.request('unsubscribe.aspect_status', {}, 'subscribe.ack');
    const keel = await nexus.aspect('keel');
    keel.send('aspect.activity', { type: 'queued' });
    await keel.settled();
    await operator.settled();
    assert.equal(operator.payloadsOf('aspect.status_pulse').length, 2);
    await other.settled();
    assert.deepEqual(other.payloadsOf('aspect.status_pulse'), []);
  });

  test('speaks for oneself only', async (t) => {
    const nexus = await startNexus(t);
    const wren = await nexus.aspect('wren');
    const activity = { type: 'turn.start', aspect_id: 'anvil' };
    assert.equal(await wren.refused('aspect.activity', activity), 'forbidden');
    assert.equal(await wren.refused('aspect.activity', { type: '' }), 'bad_request');
    assert.equal(await wren.refused('subscribe.aspect_status'), 'forbidden');
  });
});

suite('switch.surface', () => {
  test('is recorded, answered, and then the socket is closed', async (t) => {
    const nexus = await startNexus(t);
    const wren = await nexus.aspect('wren', { with: { primary_surface: 'funnel' } });
    const answer = await wren.request('switch.surface', { primary_surface: 'agora' });
    assert.deepEqual(answer, {
      aspect: 'wren',
      primary_surface: 'agora',
      previous_surface: 'funnel',
    });
    assert.equal((await wren.closed).code, 1000);
    const headers = { authorization: `Bearer ${nexus.operatorToken()}` };
    const response = await fetch(`${nexus.url}/aspects`, { headers });
    const { aspects } = (await response.json()) as { aspects: Record<string, unknown>[] };
    assert.equal(aspects[0]?.['primary_surface'], 'agora');
  });

  test('is answered without an id too, as a push', async (t) => {
    const nexus = await startNexus(t);
    const wren = await nexus.aspect('wren');
    wren.send('switch.surface', { primary_surface: 'agora' });
    assert.equal((await wren.closed).code, 1000);
    const pushed = await wren.nextOf('switch.surface.result');
    assert.deepEqual(pushed.payload, { aspect: 'wren', primary_surface: 'agora' });
    assert.equal('in_reply_to' in pushed, false);
  });

  test('is refused for what is no surface, and for who is not registered', async (t) => {
    const nexus = await startNexus(t);
    const wren = await nexus.aspect('wren', { register: false });
    const agora = { primary_surface: 'agora' };
    assert.equal(await wren.refused('switch.surface', agora), 'not_registered');
    await wren.register('wren');
    const other = { primary_surface: 'terminal' };
    assert.equal(await wren.refused('switch.surface', other), 'bad_request');
    assert.equal(await wren.refused('switch.surface', { ...agora, aspect: 'anvil' }), 'forbidden');
    await wren.settled();
  });
});

suite('dispatch', () => {
  test('is refused in its own shape: for others, without an aspect, and without Hands', async (t) => {
    const nexus = await startNexus(t);
    const wren = await nexus.aspect('wren');
    const operator = await nexus.operator();
    const dispatch = async (client: typeof wren, payload: unknown) => {
      const { kind, payload: refusal = {} } = await client.ask('dispatch', payload);
      const { reason, ...rest } = refusal;
      assert.equal(typeof reason, 'string');
      return { kind, ...rest };
    };
    const kind = 'dispatch.error';
    const job = { aspect: 'wren', dispatch_id: 'd-1', payload: null };
    assert.deepEqual(await dispatch(wren, job), {
      kind,
      aspect: 'wren',
      dispatch_id: 'd-1',
      code: 'no_dispatcher',
    });
    assert.deepEqual(await dispatch(wren, { aspect: 'anvil' }), {
      kind,
      aspect: 'anvil',
      code: 'identity_mismatch',
    });
    assert.deepEqual(await dispatch(operator, { aspect: 'anvil' }), {
      kind,
      aspect: 'anvil',
      code: 'no_dispatcher',
    });
    for (const payload of [{}, null, { aspect: '' }, { aspect: 7 }]) {
      assert.deepEqual(await dispatch(wren, payload), { kind, code: 'bad_request' });
    }
    const badId = { aspect: 'wren', dispatch_id: 'x'.repeat(201) };
    assert.deepEqual(await dispatch(wren, badId), { kind, aspect: 'wren', code: 'bad_request' });
  });
});

suite('credential.fetch', () => {
  test('finds nothing in an empty vault, registered or not', async (t) => {
    const nexus = await startNexus(t);
    const wren = await nexus.aspect('wren', { register: false });
    for (const ask of [{ kind: 'jira' }, { kind: 'provider', name: 'main' }]) {
      assert.equal(await wren.refused('credential.fetch', ask), 'not_found');
    }
    const { payload } = await wren.ask('credential.fetch', { kind: 'imap', name: '' });
    assert.equal(payload?.['error'], 'no default imap credential is stored for wren');
  });

  test('checks the kind, the name of a provider, and who asks', async (t) => {
    const nexus = await startNexus(t);
    const wren = await nexus.aspect('wren');
    const operator = await nexus.operator();
    const bad = [
      {},
      { kind: '' },
      { kind: 'ssh' },
      { kind: 'provider' },
      { kind: 'jira', name: 7 },
    ];
    for (const ask of bad) assert.equal(await wren.refused('credential.fetch', ask), 'bad_request');
    const { payload } = await wren.ask('credential.fetch', { kind: 'ssh' });
    assert.match(String(payload?.['error']), /jira, imap, provider/);
    const forged = { kind: 'jira', aspect: 'anvil' };
    assert.equal(await wren.refused('credential.fetch', forged), 'forbidden');
    assert.equal(await operator.refused('credential.fetch', { kind: 'jira' }), 'forbidden');
  });
});
