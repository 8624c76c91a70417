import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { eventually } from '../eventually.ts';
import { FakeAnthropic } from '../fakes/fake-anthropic.ts';
import { startNexus, type TestNexus, temporaryFolder } from './start-nexus.ts';
import { aspectProcess, HeldProvider, makeHome, startAspect } from './start-team.ts';
import type { Delivered, TestClient } from './test-client.ts';

const killRounds = Number(process.env['NEXUS_KILL_ROUNDS'] ?? 10);

/** Every message of the room. */
async function room(operator: TestClient): Promise<Delivered[]> {
  const { messages } = await operator.request('chat.list', { limit: 500 });
  return messages as Delivered[];
}

/** What was said in answer to a message. */
async function answersTo(operator: TestClient, id: number): Promise<string[]> {
  const messages = await room(operator);
  return messages.filter(({ reply_to }) => reply_to === id).map(({ content }) => content);
}

/** Waits for an answer, and then for one to a later message: by then a second would have come. */
async function assertAnsweredOnce(operator: TestClient, id: number, text: string): Promise<void> {
  await eventually(async () => (await answersTo(operator, id)).length > 0, `an answer to ${id}`);
  const later = await operator.post('@wren anything else?');
  await eventually(async () => (await answersTo(operator, later)).length > 0, 'a later answer');
  assert.deepEqual(await answersTo(operator, id), [text]);
}

const portOf = ({ url }: TestNexus): number => Number(new URL(url).port);

suite('an aspect and its broker', () => {
  test('a mention is answered in its thread', async (t) => {
    const nexus = await startNexus(t);
    const provider = new HeldProvider();
    provider.answers('Looks sound.');
    const home = makeHome(t, { name: 'wren' });
    const { runtime } = await startAspect(t, {
      url: nexus.url,
      token: await nexus.token('wren'),
      home,
      provider,
    });
    await runtime.ready();
    const operator = await nexus.operator();
    const id = await operator.post('@wren what do you think?');
    await assertAnsweredOnce(operator, id, 'Looks sound.');
    const mine = (await room(operator)).filter(({ from }) => from === 'wren');
    assert.deepEqual(
      mine.map(({ thread_root }) => thread_root === id),
      [true, false],
    );
  });

  test('what is posted while the aspect is down is answered when it comes up', async (t) => {
    const nexus = await startNexus(t);
    const token = await nexus.token('wren');
    const operator = await nexus.operator();
    const before = await operator.post('@wren before you ever ran');
    const home = makeHome(t, { name: 'wren' });
    const provider = new HeldProvider();
    provider.answers('Here.');
    const start = () => startAspect(t, { url: nexus.url, token, home, provider });
    const first = await start();
    await assertAnsweredOnce(operator, before, 'Here.');
    await first.stop();

    const missed = await operator.post('@wren while you were away');
    const second = await start();
    await assertAnsweredOnce(operator, missed, 'Here.');
    await second.stop();
    assert.deepEqual(await answersTo(operator, before), ['Here.']);
  });

  test('a home that meets another instance starts over, and keeps what was said before', async (t) => {
    const home = makeHome(t, { name: 'wren' });
    const provider = new HeldProvider();
    const converse = async (answer: string) => {
      const nexus = await startNexus(t);
      const token = await nexus.token('wren');
      const operator = await nexus.operator();
      const aspect = await startAspect(t, { url: nexus.url, token, home, provider });
      provider.answers(answer);
      const id = await operator.post(`@wren the question for: ${answer}`);
      await assertAnsweredOnce(operator, id, answer);
      await aspect.stop();
      return id;
    };
    // The same message id means something else to the second instance.
    assert.equal(await converse('First.'), await converse('Second.'));
    const asked = JSON.stringify(provider.requests.at(-1)?.messages);
    assert.doesNotMatch(asked, /First/, 'nothing of the first conversation is left in the second');
    const kept = readdirSync(join(home, 'session')).filter((name) => name.startsWith('before-'));
    assert.equal(kept.length, 1);
    assert.ok(readdirSync(join(home, 'session', kept[0] ?? '', 'threads')).length > 0);
  });

  test('a broker that restarts while an answer is being made gets it exactly once', async (t) => {
    const dataDir = temporaryFolder(t);
    const first = await startNexus(t, { dataDir });
    const token = await first.token('wren');
    const home = makeHome(t, { name: 'wren' });
    const provider = new HeldProvider();
    const aspect = await startAspect(t, { url: first.url, token, home, provider });
    const before = await first.operator();
    const id = await before.post('@wren think long');
    await eventually(() => provider.requests.length === 1, 'the aspect thinks');

    const listen = { host: '127.0.0.1', port: portOf(first) };
    await first.close();
    provider.answers('Thought out.');
    // The answer waits for a broker through more than one attempt to reach one.
    const dialled = aspect.dials();
    await eventually(() => aspect.dials() >= dialled + 2, 'two attempts in vain');
    const second = await startNexus(t, { dataDir, listen });
    await assertAnsweredOnce(await second.operator(), id, 'Thought out.');
    assert.equal(provider.requests.length, 2, 'nothing was asked twice');
  });

  test('stopping in the middle of a turn is quick, and the turn is done after the next start', async (t) => {
    const nexus = await startNexus(t);
    const token = await nexus.token('wren');
    const home = makeHome(t, { name: 'wren' });
    const provider = new HeldProvider();
    const start = () => startAspect(t, { url: nexus.url, token, home, provider });
    const first = await start();
    const operator = await nexus.operator();
    const id = await operator.post('@wren think long');
    await eventually(() => provider.requests.length === 1, 'the aspect thinks');
    await first.stop();
    assert.deepEqual(await answersTo(operator, id), []);
    provider.answers('Done now.');
    await start();
    await assertAnsweredOnce(operator, id, 'Done now.');
  });

  test('stopping while the broker is away does not wait for it', async (t) => {
    const nexus = await startNexus(t);
    const token = await nexus.token('wren');
    const home = makeHome(t, { name: 'wren' });
    const provider = new HeldProvider();
    const aspect = await startAspect(t, { url: nexus.url, token, home, provider });
    const operator = await nexus.operator();
    await operator.post('@wren think long');
    await eventually(() => provider.requests.length === 1, 'the aspect thinks');
    await nexus.close();
    provider.answers('Nobody hears this.');
    const dialled = aspect.dials();
    await eventually(() => aspect.dials() > dialled, 'an attempt in vain');
    await aspect.stop();
  });
});

suite('an aspect process', () => {
  const fakeModel = async (t: TestContext) => {
    const fake = await FakeAnthropic.start();
    t.after(() => fake.server.close());
    return fake;
  };

  test(`that is killed mid-turn ${killRounds} times answers every message exactly once`, async (t) => {
    const nexus = await startNexus(t);
    const fake = await fakeModel(t);
    const operator = await nexus.operator();
    const home = makeHome(t, { name: 'wren', provider: 'anthropic' });
    const env = {
      NEXUS_URL: nexus.url,
      NEXUS_TOKEN: await nexus.token('wren'),
      ANTHROPIC_API_KEY: 'sk-test',
      ANTHROPIC_BASE_URL: fake.server.url,
    };
    const start = () => aspectProcess(t, { home, env });
    let child = start();
    const asked: { id: number; text: string }[] = [];
    for (let round = 0; round < killRounds; round++) {
      const text = `Answer of round ${round}.`;
      const isHeld = round % 2 === 0;
      if (isHeld) fake.staysSilent();
      else fake.answers({ texts: [text] });
      const requests = fake.server.requests.length;
      const id = await operator.post(`@wren round ${round}`);
      asked.push({ id, text });
      await eventually(
        () => fake.server.requests.length > requests,
        () => `the model is asked in round ${round}: ${child.stderr}`,
      );
      // Held: in the middle of thinking. Not held: somewhere between the answer and its bookkeeping.
      if (!isHeld) await new Promise((resolve) => setTimeout(resolve, Math.random() * 40));
      await child.kill();
      fake.answers({ texts: [text] });
      child = start();
      await eventually(
        async () => (await answersTo(operator, id)).length > 0,
        () => `an answer in round ${round}: ${child.stderr}`,
      );
    }
    fake.answers({ texts: ['The end.'] });
    const last = await operator.post('@wren is that all?');
    await eventually(async () => (await answersTo(operator, last)).length > 0, 'the last answer');
    for (const { id, text } of asked) assert.deepEqual(await answersTo(operator, id), [text]);
  });

  test('keeps trying while its broker is away, and works when it is there', async (t) => {
    const dataDir = temporaryFolder(t);
    const first = await startNexus(t, { dataDir });
    const token = await first.token('wren');
    const operator = await first.operator();
    const id = await operator.post('@wren what do you do?');
    const listen = { host: '127.0.0.1', port: portOf(first) };
    await first.close();
    const home = makeHome(t, { name: 'wren' });
    const child = aspectProcess(t, { home, env: { NEXUS_URL: first.url, NEXUS_TOKEN: token } });
    await eventually(() => child.stderr.includes('no link'), 'it fails to connect');
    const second = await startNexus(t, { dataDir, listen });
    const again = await second.operator();
    await eventually(
      async () => (await answersTo(again, id)).length === 1,
      () => `an answer: ${child.child.exitCode} ${child.stderr}`,
    );
    child.child.kill('SIGTERM');
    assert.equal(await child.ended, 0);
  });

  test('ends with 1 when the broker refuses it and with 2 when it is not set up', async (t) => {
    const nexus = await startNexus(t);
    const home = makeHome(t, { name: 'wren' });
    const env = { NEXUS_URL: nexus.url, NEXUS_TOKEN: 'wrong' };
    const refused = aspectProcess(t, { home, env });
    assert.equal(await refused.ended, 1);
    assert.match(refused.stderr, /refused the token\n$/);
    const stranger = { ...env, NEXUS_TOKEN: await nexus.token('anvil') };
    const misnamed = aspectProcess(t, { home, env: stranger });
    assert.equal(await misnamed.ended, 1);
    const unset = aspectProcess(t, { home, env: { NEXUS_URL: nexus.url } });
    assert.equal(await unset.ended, 2);
    assert.match(unset.stderr, /^set NEXUS_TOKEN [^\n]*\n$/);
  });
});
