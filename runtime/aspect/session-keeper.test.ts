import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { FrameCodec } from '#shared/frames/codec';
import { SessionRefresh } from '#shared/frames/session-refresh';
import { FakeClock } from '#shared/sys/fake-clock';
import { newUlid } from '#shared/sys/ids';
import { silentLog } from '#shared/sys/log';
import { LinkError } from '#shared/transport/errors';
import { FrameClient } from '#shared/transport/frame-client';
import { MemoryTransport } from '#shared/transport/memory-transport';
import { AspectError } from './errors.ts';
import { SessionKeeper } from './session-keeper.ts';

/** Lets everything that is not waiting for time happen. */
async function quiet(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** A link whose tokens last 1000 s, at a broker that answers as the test says. */
function setUp(reply: 'accept' | 'refuse' | 'silence' = 'accept', random = 0.5) {
  const clock = new FakeClock();
  const failures: Error[] = [];
  let renewals = 0;
  const session = {
    expiresAt: clock.now() + 1_000_000,
    renew: async () => {
      renewals += 1;
      const failure = failures.shift();
      if (failure) throw failure;
      session.expiresAt = clock.now() + 1_000_000;
      return `token ${renewals}`;
    },
  };
  const [ours, theirs] = MemoryTransport.pair();
  const presented: string[] = [];
  theirs.start({
    message: (text) => {
      const { id, payload } = JSON.parse(text);
      presented.push(payload.token);
      const kind = reply === 'accept' ? 'session.refresh.result' : 'session.refresh.error';
      const answer = reply === 'accept' ? {} : { error: 'no', code: 'unsupported' };
      if (reply === 'silence') return;
      theirs.send(JSON.stringify({ kind, in_reply_to: id, payload: answer }));
    },
    closed: () => undefined,
  });
  const codec = new FrameCodec([SessionRefresh]);
  const client = new FrameClient(ours, { codec, clock, newId: newUlid }, []);
  const keeper = new SessionKeeper({ session, clock, log: silentLog, random: () => random });
  const kept = keeper.keep(client);
  const pass = async (seconds: number) => {
    clock.advance(seconds * 1_000);
    await quiet();
  };
  return { clock, kept, client, presented, failures, pass, renewals: () => renewals };
}

suite('SessionKeeper', () => {
  test('presents a newer token at four fifths of the life of each', async () => {
    const { presented, pass } = setUp();
    await pass(799);
    assert.deepEqual(presented, []);
    await pass(1);
    assert.deepEqual(presented, ['token 1']);
    await pass(799);
    await pass(1);
    assert.deepEqual(presented, ['token 1', 'token 2']);
  });

  test('does so a little earlier or later, so that many do not come at once', async () => {
    const early = setUp('accept', 0);
    await early.pass(750);
    assert.equal(early.presented.length, 1);
    const late = setUp('accept', 0.999);
    await late.pass(840);
    assert.equal(late.presented.length, 0);
    await late.pass(10);
    assert.equal(late.presented.length, 1);
  });

  test('tries again when the broker cannot be reached', async () => {
    const { failures, presented, pass } = setUp();
    failures.push(new LinkError('link.unreachable', 'gone'));
    await pass(800);
    assert.deepEqual(presented, []);
    await pass(2);
    assert.deepEqual(presented, ['token 2']);
  });

  test('stops when there will be no newer token, or the broker does not know the frame', async () => {
    const refused = setUp();
    refused.failures.push(new AspectError('aspect.refused', 'retired'));
    await refused.pass(800);
    await refused.kept;
    const unknown = setUp('refuse');
    await unknown.pass(800);
    await unknown.kept;
    const silent = setUp('silence');
    await silent.pass(800);
    await silent.pass(10);
    await silent.kept;
    assert.deepEqual(
      [refused, unknown, silent].map((each) => each.renewals()),
      [1, 1, 1],
    );
  });

  test('ends with its link, and leaves no timer', async () => {
    const { kept, client, clock } = setUp();
    client.close();
    await kept;
    assert.equal(clock.pending, 0);
  });
});
