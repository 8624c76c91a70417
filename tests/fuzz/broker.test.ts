import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { eventually } from '../eventually.ts';
import { type ServeProcess, serveProcess } from '../integration/serve-process.ts';
import { temporaryFolder } from '../integration/start-nexus.ts';
import { TestClient, type WireFrame } from '../integration/test-client.ts';
import { type Expected, expectedOf, wireCodes } from './expected.ts';
import { runs, seed } from './fuzz-runs.ts';
import { hostileText } from './hostile.ts';

/** Frames that are sent before the answers to all of them are waited for. */
const volley = 40;
const volleys = runs(60);

/** How much a broker may keep of a batch when it has seen the same batch before. */
const maxGrowthMb = 48;

/** How the broker may end a link, by docs/protocol.md; a surface switch ends with 1000. */
const closeCodes: ReadonlySet<number> = new Set([1000, 1003, 1007, 1008, 1009, 1013, 4001]);

/** Long contents need not stay in memory. */
const short = (frame: WireFrame): WireFrame => {
  const { messages: _, ...payload } = frame.payload ?? {};
  return { ...frame, payload };
};

/** One who sends whatever comes and sees that all of it is answered as it must be. */
class Hostile {
  readonly #open: () => Promise<TestClient>;
  #client: TestClient | undefined;
  #n = 0;

  constructor(open: () => Promise<TestClient>) {
    this.#open = open;
  }

  async send(texts: readonly string[]): Promise<void> {
    this.#client ??= await this.#open();
    const client = this.#client;
    client.frames.length = 0;
    for (const text of texts) client.ws.send(text);
    const last = `last-${this.#n++}`;
    client.send('chat.read', {}, { id: last });
    const ended = client.closed.then(({ code }) => code);
    const answered = client.next(({ in_reply_to }) => in_reply_to === last).then(() => undefined);
    const code = await Promise.race([ended, answered.catch(() => ended)]);
    if (code !== undefined) {
      assert.ok(closeCodes.has(code), `closed with ${code}`);
      this.#client = undefined;
      return;
    }
    assertAnswered(
      texts.flatMap((text) => expectedOf(text) ?? []),
      client.frames,
    );
  }

  leave(): Promise<void> | undefined {
    return this.#client?.leave();
  }
}

/** Fewest and most answers to a frame with an id. The broker serves what it likes of the rest. */
const due = ({ definition }: Expected): [number, number] => [
  definition?.reply === 'none' ? 0 : 1,
  1,
];

function assertAnswered(asked: readonly Expected[], frames: readonly WireFrame[]): void {
  const byId = Map.groupBy(frames, ({ in_reply_to }) => in_reply_to);
  for (const [id, same] of Map.groupBy(asked, (each) => each.id)) {
    if (id === undefined) continue;
    const given = byId.get(id) ?? [];
    const fewest = same.reduce((sum, each) => sum + due(each)[0], 0);
    const kinds = `${given.map(({ kind }) => kind)} for ${same.map(({ kind }) => kind)}`;
    assert.ok(given.length >= fewest && given.length <= same.length, kinds);
  }
  for (const { kind, payload } of frames.filter((frame) => frame.kind.endsWith('.error'))) {
    const { code, error } = payload ?? {};
    assert.ok(wireCodes.has(String(code)), `${kind} with ${code}`);
    assert.notEqual(code, 'internal', `${kind}: ${error}`);
  }
}

/** Resident memory and open sockets of a process, where the system tells. */
function footprint({ pid }: ServeProcess): { mb: number; sockets: number } {
  const proc = `/proc/${pid}`;
  if (!existsSync(proc)) return { mb: 0, sockets: 0 };
  const status = readFileSync(join(proc, 'status'), 'utf8');
  const kb = Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]);
  const sockets = readdirSync(join(proc, 'fd')).filter((fd) => {
    try {
      return readlinkSync(join(proc, 'fd', fd)).startsWith('socket:');
    } catch {
      return false; // Closed while we looked.
    }
  });
  return { mb: kb / 1024, sockets: sockets.length };
}

async function tokenFor(server: ServeProcess, operator: string, name: string): Promise<string> {
  const response = await fetch(`${server.url}/api/admin/tokens`, {
    method: 'POST',
    headers: { authorization: `Bearer ${operator}`, connection: 'close' },
    body: JSON.stringify({ name }),
  });
  return ((await response.json()) as { token: string }).token;
}

suite('the broker under hostile input', () => {
  test('answers by the rules, does not grow, and serves the well-behaved', async (t: TestContext) => {
    const dataDir = temporaryFolder(t);
    const server = await serveProcess(t, dataDir);
    const operator = readFileSync(join(dataDir, 'operator.token'), 'utf8').trim();
    const tokens = new Map([['operator', operator]]);
    for (const name of ['wren', 'anvil', 'keel', 'flint']) {
      tokens.set(name, await tokenFor(server, operator, name));
    }
    const open = async (name: string) => {
      const client = await TestClient.open(server.url, tokens.get(name) ?? '');
      t.after(() => client.drop());
      client.kept = short;
      return client;
    };
    const registered = async (name: string) => {
      const client = await open(name);
      assert.equal((await client.register(name)).kind, 'register.ack');
      return client;
    };
    const before = footprint(server);

    t.diagnostic(`NEXUS_FUZZ_SEED=${seed}`);
    const texts = fc.sample(hostileText, { numRuns: volley * volleys, seed });
    const batch = async () => {
      const senders = [
        new Hostile(() => open('operator')),
        new Hostile(() => open('wren')),
        new Hostile(() => open('anvil')),
      ];
      for (let i = 0; i < texts.length; i += volley) {
        await senders[(i / volley) % senders.length]?.send(texts.slice(i, i + volley));
      }
      for (const each of senders) await each.leave();
    };
    await batch();
    await batch();
    const second = footprint(server);
    await batch();
    const third = footprint(server);
    t.diagnostic(`RSS ${[before, second, third].map(({ mb }) => mb.toFixed(0)).join(', ')} MB`);
    assert.ok(third.mb - second.mb < maxGrowthMb, `grew by ${third.mb - second.mb} MB`);
    await eventually(() => footprint(server).sockets === before.sockets, 'every socket is gone');

    const keel = await registered('keel');
    const flint = await registered('flint');
    const id = await keel.post('@flint still there?');
    assert.equal((await flint.nextOf('chat.deliver')).payload?.['id'], id);
    assert.equal((await fetch(`${server.url}/health`)).status, 200);
  });
});
