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
/** Then everyone hangs up and connects anew. */
const volleysOfOne = 10;
const names = ['wren', 'anvil', 'operator'] as const;

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
  #asked: Expected[] = [];
  #n = 0;

  constructor(open: () => Promise<TestClient>) {
    this.#open = open;
  }

  /** Sends a volley and waits until the broker has read it. */
  async send(texts: readonly string[]): Promise<void> {
    this.#client ??= await this.#connect();
    const client = this.#client;
    for (const text of texts) client.ws.send(text);
    this.#asked.push(...texts.flatMap((text) => expectedOf(text) ?? []));
    const last = `last-${this.#n++}`;
    client.send('chat.read', {}, { id: last });
    const ended = client.closed.then(({ code }) => code);
    const read = client.next(({ in_reply_to }) => in_reply_to === last).then(() => undefined);
    const code = await Promise.race([ended, read.catch(() => ended)]);
    if (code === undefined) return;
    assert.ok(closeCodes.has(code), `closed with ${code}`);
    this.#client = undefined;
    this.#asked = [];
  }

  /** What the broker asks is answered, in vain: somebody may wait for it. */
  async #connect(): Promise<TestClient> {
    const client = await this.#open();
    client.ws.on('message', (data) => {
      const { kind, id } = JSON.parse(data.toString()) as WireFrame;
      if (id !== undefined) client.send(`${kind}.error`, { error: 'no' }, { in_reply_to: id });
    });
    return client;
  }

  /** Waits for what takes longer, such as a turn of an aspect, and hangs up. */
  async finish(): Promise<void> {
    const client = this.#client;
    if (!client) return;
    const owed = () => missing(this.#asked, client.frames);
    await client
      .until(() => owed().length === 0)
      .catch(() => {
        const kinds = this.#asked.filter(({ id = '' }) => owed().includes(id));
        assert.fail(`unanswered: ${kinds.map(({ id, kind }) => `${kind} ${id}`)}`);
      });
    assertAnswers(this.#asked, client.frames);
    await client.leave();
  }
}

/** Whether a frame with an id must be answered. The broker serves what it likes of the rest. */
const isDue = ({ id, definition }: Expected): boolean =>
  id !== undefined && definition?.reply !== 'none';

/** Ids that were used more often, in requests that are answered, than they came back. */
function missing(asked: readonly Expected[], frames: readonly WireFrame[]): string[] {
  const owed = new Map<string, number>();
  const count = (id: string, change: number) => owed.set(id, (owed.get(id) ?? 0) + change);
  for (const each of asked) if (isDue(each)) count(each.id ?? '', 1);
  for (const { in_reply_to } of frames) if (in_reply_to !== undefined) count(in_reply_to, -1);
  return [...owed].filter(([, times]) => times > 0).map(([id]) => id);
}

function assertAnswers(asked: readonly Expected[], frames: readonly WireFrame[]): void {
  const given = Map.groupBy(frames, ({ in_reply_to }) => in_reply_to);
  for (const [id, same] of Map.groupBy(asked, (each) => each.id)) {
    if (id === undefined) continue;
    assert.ok((given.get(id)?.length ?? 0) <= same.length, `too many answers to ${id}`);
  }
  for (const frame of frames.filter(({ kind }) => kind.endsWith('.error'))) {
    const { code } = frame.payload ?? {};
    assert.ok(wireCodes.has(String(code)), JSON.stringify(frame));
    assert.notEqual(code, 'internal', JSON.stringify(frame));
    assert.ok(JSON.stringify(frame).length < 8_192, 'an error quotes too much');
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
    const before = footprint(server);
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

    t.diagnostic(`NEXUS_FUZZ_SEED=${seed}`);
    const texts = fc.sample(hostileText, { numRuns: volley * volleys, seed });
    const batch = async () => {
      for (let i = 0; i < texts.length; i += volley * volleysOfOne * names.length) {
        const senders = names.map((name) => new Hostile(() => open(name)));
        for (let j = 0; j < volleysOfOne * names.length; j++) {
          const at = i + j * volley;
          await senders[j % names.length]?.send(texts.slice(at, at + volley));
        }
        for (const each of senders) await each.finish();
      }
    };
    await batch();
    await batch();
    const second = footprint(server);
    await batch();
    const third = footprint(server);
    t.diagnostic(`RSS ${[before, second, third].map(({ mb }) => mb.toFixed(0)).join(', ')} MB`);
    assert.ok(third.mb - second.mb < maxGrowthMb, `grew by ${third.mb - second.mb} MB`);
    await eventually(() => footprint(server).sockets <= before.sockets, 'every socket is gone');

    const keel = await registered('keel');
    const flint = await registered('flint');
    const id = await keel.post('@flint still there?');
    assert.equal((await flint.nextOf('chat.deliver')).payload?.['id'], id);
    assert.equal((await fetch(`${server.url}/health`)).status, 200);
  });
});
