import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Registration } from '#shared/frames/registration';
import { FakeClock } from '#shared/sys/fake-clock';
import { silentLog } from '#shared/sys/log';
import { Connection } from '../broker/connection.ts';
import { Hub } from '../broker/hub.ts';
import { nowhere } from '../broker/test-kit.ts';
import { aspectIdentity } from '../credentials/identity.ts';
import { MemoryJournal } from '../journal/memory-journal.ts';
import { RosterService } from './roster-service.ts';
import { switchSurfaceHandler } from './switch-surface.ts';

const registration = (name: string): Registration => ({
  name,
  session_id: 's1',
  context_mode: 'thread',
  provider: 'test',
  primary_surface: 'funnel',
});

async function setUp(outpostId?: string) {
  const clock = new FakeClock();
  const journal = new MemoryJournal({ clock });
  const times = {
    staleAfterMs: 30_000,
    forgetAfterMs: 600_000,
    sweepEveryMs: 10_000,
    probeWithinMs: 3_000,
  };
  const roster = new RosterService({ journal, hub: new Hub(), clock, log: silentLog, times });
  const closes: number[] = [];
  const close = (code: number) => void closes.push(code);
  const connection = new Connection(1, aspectIdentity('wren'), { ...nowhere, close });
  connection.outpostId = outpostId;
  for (const name of ['wren', 'anvil']) await roster.connect(registration(name), connection, true);
  const handler = switchSurfaceHandler(roster);
  const switchTo = async (aspect: string) => {
    const answer = await handler.run({ primary_surface: 'agora', aspect }, connection);
    await new Promise((resolve) => setImmediate(resolve));
    return answer;
  };
  return { journal, roster, closes, switchTo };
}

const answerFor = (aspect: string) => ({
  aspect,
  primary_surface: 'agora',
  previous_surface: 'funnel',
});

suite('switch.surface', () => {
  test('is a journal event, and shows in the roster', async () => {
    const { journal, roster, closes, switchTo } = await setUp();
    assert.deepEqual(await switchTo('wren'), answerFor('wren'));
    const { kind, actor, body } = journal.read(2, 1)[0] ?? {};
    assert.deepEqual(
      [kind, actor, body],
      [
        'aspect.surface_switched',
        'wren',
        { sessionId: 's1', primarySurface: 'agora', previousSurface: 'funnel' },
      ],
    );
    assert.deepEqual(
      roster.list().map(({ registration: { name, primary_surface } }) => [name, primary_surface]),
      [
        ['anvil', 'funnel'],
        ['wren', 'agora'],
      ],
    );
    assert.deepEqual(closes, [1000]);
  });

  test('leaves an Outpost its socket, which carries others', async () => {
    const { closes, switchTo } = await setUp('attic');
    assert.deepEqual(await switchTo('anvil'), answerFor('anvil'));
    assert.deepEqual(closes, []);
  });
});
