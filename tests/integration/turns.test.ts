import assert from 'node:assert/strict';
import { suite, type TestContext, test } from 'node:test';
import { FakeClock } from '#shared/sys/fake-clock';
import { roomyLimits, startNexus } from './start-nexus.ts';
import type { TestClient, WireFrame } from './test-client.ts';

/** A broker, and a client that plays an agent. */
async function setUp(t: TestContext, options: Parameters<typeof startNexus>[1] = {}) {
  const nexus = await startNexus(t, options);
  const agent = await nexus.aspect('wren');
  const send = (more: { timeoutMs?: number; signal?: AbortSignal } = {}, prompt = 'think') =>
    nexus.broker.turns.send('wren', { prompt }, more);
  return { nexus, agent, send, turns: nexus.broker.turns };
}

/** The nth `turn` that the agent got. */
async function nthTurn(agent: TestClient, n = 1): Promise<WireFrame & { id: string }> {
  const asked = () => agent.frames.filter(({ kind }) => kind === 'turn');
  await agent.until(() => asked().length >= n, `turn ${n}`);
  const frame = asked()[n - 1];
  assert.ok(frame?.id);
  return { ...frame, id: frame.id };
}

const result = (output: string) => ({
  output,
  stop_reason: 'end_turn',
  tokens: { input: 3, output: 1, total: 4 },
  entry_ids: ['e1', 'e2'],
});

suite('TurnService', () => {
  test('asks over the connection of the name and resolves with the answer', async (t) => {
    const { agent, turns } = await setUp(t);
    const asked = turns.send('WREN', { prompt: 'think', model: 'm', max_tokens: 9 });
    const turn = await nthTurn(agent);
    assert.deepEqual(turn.payload, { prompt: 'think', model: 'm', max_tokens: 9 });
    assert.equal((turn as { target_aspect?: string }).target_aspect, 'wren');
    agent.send('turn.result', result('thought'), { in_reply_to: turn.id });
    assert.deepEqual(await asked, {
      aspect: 'wren',
      output: 'thought',
      stopReason: 'end_turn',
      tokens: { input: 3, output: 1, total: 4 },
      entryIds: ['e1', 'e2'],
    });
  });

  test('what an aspect leaves out or sends as null is empty or zero', async (t) => {
    const { agent, send } = await setUp(t);
    const asked = send();
    const { id } = await nthTurn(agent);
    agent.send('turn.result', { output: 'x', entry_ids: null }, { in_reply_to: id });
    assert.deepEqual(await asked, {
      aspect: 'wren',
      output: 'x',
      stopReason: '',
      tokens: { input: 0, output: 0, total: 0 },
      entryIds: [],
    });
  });

  test('turns may overlap, and each gets its own answer', async (t) => {
    const { agent, send } = await setUp(t);
    const both = [send(), send({}, 'again')];
    const second = await nthTurn(agent, 2);
    const first = await nthTurn(agent, 1);
    agent.send('turn.result', result('second'), { in_reply_to: second.id });
    agent.send('turn.result', result('first'), { in_reply_to: first.id });
    const outputs = (await Promise.all(both)).map(({ output }) => output);
    assert.deepEqual(outputs, ['first', 'second']);
  });

  test('fails with what the aspect says, or with what is wrong about its answer', async (t) => {
    const { agent, send } = await setUp(t);
    const answers: [string, unknown, RegExp][] = [
      ['turn.error', { error: 'no model' }, /^no model$/],
      ['turn.error', {}, /without saying why/],
      ['turn.error', { error: 7 }, /did not answer properly/],
      ['turn.result', { output: 7 }, /did not answer properly/],
      ['turn.result', undefined, /did not answer properly/],
      ['chat.send', { content: 'hello' }, /another kind/],
    ];
    for (const [index, [kind, payload, message]] of answers.entries()) {
      const asked = send();
      const { id } = await nthTurn(agent, index + 1);
      agent.send(kind, payload, { in_reply_to: id });
      await assert.rejects(asked, { code: 'turn_failed', message });
    }
  });

  test('says whether an aspect is absent or unknown', async (t) => {
    const { nexus, turns } = await setUp(t);
    await nexus.token('anvil');
    await assert.rejects(turns.send('Anvil', { prompt: 'x' }), {
      code: 'not_registered',
      message: 'anvil is not connected',
    });
    await assert.rejects(turns.send('nobody', { prompt: 'x' }), { code: 'not_found' });
  });

  test('refuses a turn that no client could read', async (t) => {
    const { agent, send } = await setUp(t);
    await assert.rejects(send({}, 'x'.repeat(1_000_000)), { code: 'too_large' });
    await agent.settled();
    assert.deepEqual(agent.payloadsOf('turn'), []);
  });

  test('asks one peer at most 256 things at a time', async (t) => {
    const { agent, send } = await setUp(t);
    const asked = Array.from({ length: 256 }, () => send());
    await assert.rejects(send(), { code: 'busy' });
    agent.send('turn.result', result('done'), { in_reply_to: (await nthTurn(agent)).id });
    await asked[0];
    const rest = Promise.allSettled([...asked.slice(1), send()]);
    await nthTurn(agent, 257);
    agent.drop();
    assert.ok((await rest).every(({ status }) => status === 'rejected'));
  });

  test('fails at once when the aspect leaves in the middle of a turn', async (t) => {
    const { agent, send } = await setUp(t);
    const asked = send();
    await nthTurn(agent);
    agent.drop();
    await assert.rejects(asked, { code: 'not_registered', message: /went away/ });
  });

  test('fails when the aspect deregisters, and when it moves to another connection', async (t) => {
    const { nexus, agent, send } = await setUp(t);
    const first = assert.rejects(send(), { code: 'not_registered' });
    await nthTurn(agent);
    const again = await nexus.aspect('wren');
    await first;
    const second = assert.rejects(send(), { code: 'not_registered' });
    await nthTurn(again);
    again.send('deregister', { name: 'wren', session_id: 'session-wren' });
    await second;
  });

  test('goes on when the aspect registers again on the same connection', async (t) => {
    const { agent, send } = await setUp(t);
    const asked = send();
    const { id } = await nthTurn(agent);
    await agent.register('wren');
    agent.send('turn.result', result('still here'), { in_reply_to: id });
    assert.equal((await asked).output, 'still here');
  });

  test('ignores the answer of another connection', async (t) => {
    const { nexus, agent, send } = await setUp(t);
    const anvil = await nexus.aspect('anvil');
    const asked = send();
    const { id } = await nthTurn(agent);
    anvil.send('turn.result', result('forged'), { in_reply_to: id });
    await anvil.settled();
    agent.send('turn.result', result('mine'), { in_reply_to: id });
    assert.equal((await asked).output, 'mine');
  });

  test('a cancelled turn is taken back, and its late answer dropped', async (t) => {
    const { agent, send } = await setUp(t);
    const abort = new AbortController();
    const asked = send({ signal: abort.signal });
    const { id } = await nthTurn(agent);
    abort.abort(new Error('changed my mind'));
    await assert.rejects(asked, { message: 'changed my mind' });
    const cancel = await agent.nextOf('turn.cancel');
    assert.deepEqual(cancel.payload, { request_id: id, reason: 'nobody waits for it any more' });
    assert.equal((cancel as { target_aspect?: string }).target_aspect, 'wren');
    agent.send('turn.result', result('too late'), { in_reply_to: id });
    await agent.settled();
    await assert.rejects(send({ signal: abort.signal }), { message: 'changed my mind' });
    assert.equal(agent.payloadsOf('turn').length, 1, 'never sent when it is cancelled already');
  });

  test('ends after ten minutes, or as long as the caller says', async (t) => {
    const clock = new FakeClock();
    // Pings would wait for pongs in a time that never passes.
    const keepAlive = { pingEveryMs: 3_600_000, pongWithinMs: 10_000 };
    const { agent, send } = await setUp(t, { clock, limits: { ...roomyLimits, keepAlive } });
    const patient = send();
    const hasty = send({ timeoutMs: 5_000 });
    await nthTurn(agent, 2);
    clock.advance(5_000);
    await assert.rejects(hasty, { code: 'timeout', message: 'wren did not answer in 5 s' });
    clock.advance(594_999);
    await agent.settled();
    assert.equal(agent.payloadsOf('turn.cancel').length, 1);
    clock.advance(1);
    await assert.rejects(patient, { code: 'timeout' });
    await agent.until(() => agent.payloadsOf('turn.cancel').length === 2);
  });

  test('an answer comes after the entries that were mirrored before it', async (t) => {
    const { nexus, agent, send } = await setUp(t);
    const operator = await nexus.operator();
    const asked = send();
    const { id } = await nthTurn(agent);
    for (let n = 1; n <= 50; n++) {
      const entry = { aspect: 'wren', session_id: 's1', entry_id: `e${n}`, entry_kind: 'note' };
      agent.send('session.entry.appended', entry);
    }
    agent.send('turn.result', result('done'), { in_reply_to: id });
    await asked;
    const page = await operator.request('session.entries', { aspect: 'wren', session_id: 's1' });
    assert.equal(page['head_id'], 'e50');
  });
});

suite('aspect.turn', () => {
  test('takes a turn for the operator, who can go on meanwhile', async (t) => {
    const { nexus, agent } = await setUp(t);
    const operator = await nexus.operator();
    const asked = operator.request('aspect.turn', {
      aspect: 'Wren',
      prompt: 'think',
      system_prompt: 'briefly',
      thinking_level: 'low',
      unknown: 'not passed on',
    });
    const turn = await nthTurn(agent);
    const request = { prompt: 'think', system_prompt: 'briefly', thinking_level: 'low' };
    assert.deepEqual(turn.payload, request);
    await operator.request('chat.list');
    agent.send('turn.result', result('thought'), { in_reply_to: turn.id });
    assert.deepEqual(await asked, { aspect: 'wren', ...result('thought') });
  });

  test('is for operators, and refused with a reason', async (t) => {
    const { nexus, agent } = await setUp(t);
    const operator = await nexus.operator();
    await nexus.token('anvil');
    const ask = { aspect: 'wren', prompt: 'think' };
    assert.equal(await agent.refused('aspect.turn', ask), 'forbidden');
    assert.equal(await operator.refused('aspect.turn', { aspect: 'wren' }), 'bad_request');
    assert.equal(await operator.refused('aspect.turn', { ...ask, aspect: 'nobody' }), 'not_found');
    const absent = { ...ask, aspect: 'anvil' };
    assert.equal(await operator.refused('aspect.turn', absent), 'not_registered');
    const failing = operator.refused('aspect.turn', ask);
    agent.send('turn.error', { error: 'no' }, { in_reply_to: (await nthTurn(agent)).id });
    assert.equal(await failing, 'turn_failed');
  });

  test('refuses an answer that would not fit the operator’s frame', async (t) => {
    const { nexus, agent } = await setUp(t);
    const operator = await nexus.operator();
    const asked = operator.refused('aspect.turn', { aspect: 'wren', prompt: 'write a book' });
    const { id } = await nthTurn(agent);
    agent.send('turn.result', { output: 'x'.repeat(1_000_000) }, { in_reply_to: id });
    assert.equal(await asked, 'too_large');
  });

  test('is taken back when the operator leaves', async (t) => {
    const { nexus, agent } = await setUp(t);
    const operator = await nexus.operator();
    operator.send('aspect.turn', { aspect: 'wren', prompt: 'think' });
    const { id } = await nthTurn(agent);
    operator.drop();
    const { payload } = await agent.nextOf('turn.cancel');
    assert.equal(payload?.['request_id'], id);
  });
});
