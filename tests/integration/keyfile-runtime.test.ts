import assert from 'node:assert/strict';
import { suite, type TestContext, test } from 'node:test';
import { AspectRuntime } from '#runtime/aspect/aspect-runtime';
import { KeyfileAccess } from '#runtime/aspect/keyfile-access';
import { loadAspectHome } from '#shared/config/aspect-json';
import type { Keyfile } from '#shared/crypto/keyfile';
import { systemClock } from '#shared/sys/clock';
import { FakeClock } from '#shared/sys/fake-clock';
import { newUlid } from '#shared/sys/ids';
import { silentLog } from '#shared/sys/log';
import { eventually } from '../eventually.ts';
import { asOperator, mint } from './keyfile-aspect.ts';
import { roomyLimits, startNexus, type TestNexus } from './start-nexus.ts';
import { HeldProvider, makeHome } from './start-team.ts';

const minuteMs = 60_000;
const never = new AbortController().signal;

const accessOf = (keyfile: Keyfile, more: { aspect?: string; url?: string } = {}) =>
  new KeyfileAccess({ keyfile, aspect: 'wren', clock: systemClock, ...more });

/** An aspect that comes in with a keyfile, on the broker's own clock. */
async function startAspect(t: TestContext, nexus: TestNexus, clock: FakeClock) {
  const { keyfile } = await mint(nexus, 'wren');
  const access = new KeyfileAccess({ keyfile, aspect: 'wren', clock });
  let dials = 0;
  const provider = new HeldProvider();
  provider.answers('here');
  const runtime = await AspectRuntime.open({
    home: loadAspectHome(makeHome(t, { name: 'wren' })),
    provider,
    dial: (signal) => {
      dials += 1;
      return access.dial(signal);
    },
    session: access,
    team: '',
    clock,
    newId: newUlid,
    log: silentLog,
  });
  const running = runtime.run();
  running.catch(() => undefined);
  t.after(() => runtime.stop('the test ends'));
  await runtime.ready();
  return { access, running, dials: () => dials };
}

suite('an aspect with a keyfile', () => {
  test('stays connected beyond the life of its tokens, until it is retired', async (t) => {
    const clock = new FakeClock(Date.now());
    const keepAlive = { pingEveryMs: 10_000 * minuteMs, pongWithinMs: 10_000 };
    const nexus = await startNexus(t, { clock, limits: { ...roomyLimits, keepAlive } });
    const aspect = await startAspect(t, nexus, clock);
    const operator = await nexus.operator();
    await operator.request('subscribe.chat', {}, 'subscribe.ack');
    const asked = async (text: string) => {
      const id = await operator.post(`@wren ${text}`);
      const answers = () => operator.delivered().some(({ reply_to }) => reply_to === id);
      await operator.until(answers, `an answer to ${text}`);
      // Its 👀 goes last: from then on nothing waits for an answer on the clock that we move.
      await operator.next(
        ({ kind, payload }) =>
          kind === 'chat.reaction.update' &&
          payload?.['msg_id'] === id &&
          payload['op'] === 'removed',
      );
    };
    for (const hour of [1, 2, 3]) {
      const before = aspect.access.expiresAt;
      clock.advance(52 * minuteMs);
      await eventually(() => aspect.access.expiresAt > before, 'a newer token');
      await asked(`still there in hour ${hour}?`);
    }
    assert.equal(aspect.dials(), 1, 'over one link');

    await asOperator(nexus, 'retire', { name: 'wren' });
    let outcome = '';
    aspect.running.catch(({ code, message }) => {
      outcome = `${code}: ${message}`;
    });
    await eventually(() => {
      clock.advance(1_000);
      return outcome !== '';
    }, 'the aspect gives up');
    assert.match(outcome, /^aspect\.refused: .* does not take this keyfile: retired$/);
  });

  test('shows it only to the instance that it is for, and only as itself', async (t) => {
    const [nexus, other] = [await startNexus(t), await startNexus(t)];
    const { keyfile } = await mint(nexus, 'wren');
    const elsewhere = accessOf(keyfile, { url: other.url }).renew(never);
    await assert.rejects(elsewhere, { code: 'aspect.refused', message: /is for Nexus .* but/ });
    const foreign = accessOf(keyfile, { aspect: 'anvil' }).renew(never);
    await assert.rejects(foreign, {
      code: 'aspect.refused',
      message: /wren's, and the home anvil/,
    });
    const next = await mint(nexus, 'wren');
    const revoked = accessOf(keyfile).renew(never);
    await assert.rejects(revoked, { code: 'aspect.refused', message: /: revoked$/ });
    assert.match(await accessOf(next.keyfile, { aspect: 'Wren' }).renew(never), /^[\w.-]+$/);
  });

  test('tries again later when the broker is away or asks for patience', async (t) => {
    const rates = {
      perAddress: { times: 1, windowS: 60 },
      perAspect: { times: 9, windowS: 60 },
    };
    const nexus = await startNexus(t, { validateRates: rates });
    const access = accessOf((await mint(nexus, 'wren')).keyfile);
    await access.renew(never);
    const later = { code: 'link.unreachable', message: /too many requests/ };
    await assert.rejects(access.renew(never), later);
    await nexus.close();
    await assert.rejects(access.renew(never), { code: 'link.unreachable' });
    const stopped = AbortSignal.abort(new Error('stopping'));
    await assert.rejects(access.renew(stopped), /stopping/);
  });

  test('does not send it in the open beyond this machine', async (t) => {
    const nexus = await startNexus(t);
    const { keyfile } = await mint(nexus, 'wren');
    for (const url of ['ws://hub.example:7888', 'http://10.0.0.1/connect']) {
      assert.throws(() => accessOf(keyfile, { url }), { code: 'aspect.refused', message: /wss/ });
    }
    accessOf(keyfile, { url: 'wss://hub.example:7888/connect' });
  });
});
