import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { migrations } from '#nexus/app/broker';
import { verifyChain } from '#nexus/journal/maintenance';
import { openDatabase } from '#nexus/storage/database';
import { eventually } from '../eventually.ts';
import { root, type ServeProcess, serveArguments, serveProcess } from './serve-process.ts';
import { SmallDisk } from './small-disk.ts';
import { temporaryFolder } from './start-nexus.ts';
import { TestClient } from './test-client.ts';

const senders = ['anvil', 'wren', 'flint'];
/** Sends of one client that may wait for their answer. */
const inFlight = 16;
const contentBytes = 2_000;

async function issueToken(server: ServeProcess, dataDir: string, name: string): Promise<Response> {
  const operator = readFileSync(join(dataDir, 'operator.token'), 'utf8').trim();
  return fetch(`${server.url}/api/admin/tokens`, {
    method: 'POST',
    headers: { authorization: `Bearer ${operator}` },
    body: JSON.stringify({ name }),
  });
}

/** Sends without a pause, and keeps what became of each message. */
class Sender {
  readonly acked = new Map<number, string>();
  readonly refused: string[] = [];
  readonly codes = new Set<unknown>();
  readonly #client: TestClient;
  readonly #name: string;
  readonly #underWay = new Map<string, string>();
  #n = 0;
  #going = false;

  constructor(client: TestClient, name: string) {
    this.#client = client;
    this.#name = name;
    client.kept = () => ({ kind: '' });
    client.ws.on('message', (data) => this.#answered(JSON.parse(data.toString())));
    this.start();
  }

  start(): void {
    this.#going = true;
    for (let i = 0; i < inFlight; i++) this.#send();
  }

  /** Sends no more, and waits until everything is answered. */
  async stop(): Promise<void> {
    this.#going = false;
    await eventually(() => this.#underWay.size === 0, 'the last answers');
  }

  #send(): void {
    if (!this.#going) return;
    const content = `${this.#name}#${++this.#n} `.padEnd(contentBytes, 'x');
    const id = `m${this.#n}`;
    this.#underWay.set(id, content);
    this.#client.send('chat.send', { content }, { id });
  }

  #answered(frame: { kind: string; in_reply_to?: string; payload: Record<string, unknown> }): void {
    const content = this.#underWay.get(frame.in_reply_to ?? '');
    if (content === undefined) return;
    this.#underWay.delete(frame.in_reply_to ?? '');
    if (frame.kind === 'chat.send.result') {
      this.acked.set(frame.payload['msg_id'] as number, content);
      this.#send();
    } else {
      assert.equal(frame.kind, 'chat.send.error');
      this.refused.push(content);
      this.codes.add(frame.payload['code']);
      setTimeout(() => this.#send(), 5);
    }
  }
}

interface Stage {
  readonly dataDir: string;
  readonly server: ServeProcess;
  readonly senders: readonly Sender[];
  open(name: string): Promise<TestClient>;
}

async function setUp(t: TestContext, dataDir: string): Promise<Stage> {
  const server = await serveProcess(t, dataDir);
  const tokens = new Map<string, string>();
  for (const name of [...senders, 'keel']) {
    const response = await issueToken(server, dataDir, name);
    tokens.set(name, ((await response.json()) as { token: string }).token);
  }
  const open = async (name: string) => {
    const client = await TestClient.open(server.url, tokens.get(name) ?? '');
    t.after(() => client.drop());
    return client;
  };
  const clients = await Promise.all(senders.map(open));
  const sending = clients.map((client, i) => new Sender(client, senders[i] ?? ''));
  return { dataDir, server, senders: sending, open };
}

/** Everyone gets so many more acks, or refusals. */
async function everyone(stage: Stage, what: 'acked' | 'refused', more: number): Promise<void> {
  const count = (sender: Sender) => (what === 'acked' ? sender.acked.size : sender.refused.length);
  const goals = stage.senders.map((sender) => count(sender) + more);
  await eventually(
    () => stage.senders.every((sender, i) => count(sender) >= (goals[i] ?? 0)),
    `everyone is ${what}`,
  );
}

/** The journal is whole; what was acked is there once, what was refused is not. */
function assertKept({ senders: sending }: Stage, dataDir: string): void {
  const database = openDatabase(join(dataDir, 'nexus.db'), migrations);
  try {
    assert.ok(verifyChain(database).events > 0);
    const rows = database.reader.prepare('SELECT id, content FROM chat_messages').all() as {
      id: number;
      content: string;
    }[];
    const stored = new Map(rows.map(({ id, content }) => [id, content]));
    const times = Map.groupBy(rows, ({ content }) => content);
    for (const { acked, refused } of sending) {
      for (const [id, content] of acked) {
        assert.equal(stored.get(id), content);
        assert.equal(times.get(content)?.length, 1);
      }
      for (const content of refused) assert.equal(times.has(content), false, 'refused and kept');
    }
  } finally {
    database.close();
  }
}

/** Everything is answered, and each refusal had this code. */
async function assertSettled({ senders: sending }: Stage, code: string): Promise<void> {
  for (const each of sending) await each.stop();
  assert.deepEqual([...new Set(sending.flatMap((each) => [...each.codes]))], [code]);
}

/** Small events may still fit, until they do not. */
async function tokenRefused({ server }: Stage, dataDir: string, status: number): Promise<void> {
  const statuses = new Set<number>();
  await eventually(async () => {
    statuses.add((await issueToken(server, dataDir, 'late')).status);
    return statuses.has(status);
  }, 'a refusal over REST');
  assert.deepEqual(
    [...statuses].filter((each) => each !== 201),
    [status],
  );
}

/** What works without the disk. */
async function assertReads(stage: Stage): Promise<void> {
  const keel = await stage.open('keel');
  const [newest = 0] = stage.senders.flatMap(({ acked }) => [...acked.keys()]);
  const { messages } = await keel.request('chat.read', { msg_id: newest });
  assert.equal((messages as unknown[]).length, 1);
  assert.equal((await fetch(`${stage.server.url}/health`)).status, 200);
  await keel.leave();
}

/** A crash while nothing can be kept. */
async function killAmidRefusals(stage: Stage): Promise<void> {
  for (const each of stage.senders) each.start();
  await everyone(stage, 'refused', 50);
  await stage.server.kill();
}

/** Tries to start a broker that cannot: its exit code and what it says. */
function startInVain(dataDir: string): { status: number | null; stderr: string } {
  const { status, stderr } = spawnSync(
    process.execPath,
    [...serveArguments, '--data-dir', dataDir, '--addr', '127.0.0.1:0'],
    { cwd: root, encoding: 'utf8', timeout: 30_000, killSignal: 'SIGKILL' },
  );
  return { status, stderr };
}

suite('a full disk', () => {
  test('refuses what it cannot keep, goes on reading, and works again by itself', async (t) => {
    const disk = SmallDisk.mount(t, 24);
    if (!disk) return;
    const dataDir = join(disk.folder, 'data');
    const stage = await setUp(t, dataDir);
    await everyone(stage, 'acked', 100);
    for (let round = 0; round < 3; round++) {
      disk.fill();
      await everyone(stage, 'refused', 100);
      await tokenRefused(stage, dataDir, 507);
      await assertReads(stage);
      disk.empty();
      await everyone(stage, 'acked', 100);
    }
    await assertSettled(stage, 'storage_full');
    assert.match(readFileSync(join(dataDir, 'logs', 'broker.log'), 'utf8'), /"storage_full"/);
    disk.fill();
    await killAmidRefusals(stage);
    disk.empty();
    assertKept(stage, dataDir);
    await serveProcess(t, dataDir);
  });

  test('refuses a group that does not fit as a whole, and takes a smaller one', async (t) => {
    const disk = SmallDisk.mount(t, 24);
    if (!disk) return;
    const dataDir = join(disk.folder, 'data');
    const server = await serveProcess(t, dataDir);
    const operator = readFileSync(join(dataDir, 'operator.token'), 'utf8').trim();
    const client = await TestClient.open(server.url, operator);
    t.after(() => client.drop());
    disk.fill(256 * 1024);
    const large = Array.from({ length: 64 }, (_, n) => {
      client.send('chat.send', { content: `${n} `.padEnd(16_000, 'x') }, { id: `large-${n}` });
      return client.next(({ in_reply_to }) => in_reply_to === `large-${n}`);
    });
    const kinds = (await Promise.all(large)).map(({ kind }) => kind);
    const refused = kinds.filter((kind) => kind === 'chat.send.error').length;
    assert.ok(refused > 0, 'a megabyte does not fit');
    await client.post('small');
    const { messages } = await client.request('chat.list', { limit: 500 });
    assert.equal((messages as unknown[]).length, kinds.length - refused + 1);
  });

  test('is told at the start, with what to do, and the start succeeds once there is space', async (t) => {
    for (const leaving of [0, 16 * 1024, 64 * 1024]) {
      const disk = SmallDisk.mount(t, 4);
      if (!disk) return;
      disk.fill(leaving);
      const dataDir = join(disk.folder, 'data');
      const { status, stderr } = startInVain(dataDir);
      assert.equal(status, 2, stderr);
      assert.match(stderr, /^nexus: the disk that holds \S+data is full; free some space[^\n]*\n$/);
      disk.empty();
      const server = await serveProcess(t, dataDir);
      await server.kill();
    }
  });
});

suite('a disk that fails', () => {
  test('refuses what it cannot keep, goes on reading, and works again by itself', async (t) => {
    const dataDir = join(temporaryFolder(t), 'data');
    const stage = await setUp(t, dataDir);
    const limitFiles = (bytes: string) =>
      spawnSync('prlimit', ['--pid', `${stage.server.pid}`, `--fsize=${bytes}:`], {
        encoding: 'utf8',
      });
    await everyone(stage, 'acked', 100);
    for (let round = 0; round < 3; round++) {
      // Every write is answered with EFBIG, which is no lack of space to SQLite.
      const { status, error, stderr } = limitFiles('0');
      if (status !== 0) {
        t.skip(`files cannot be limited here: ${error ?? stderr}`);
        return;
      }
      await everyone(stage, 'refused', 100);
      await tokenRefused(stage, dataDir, 503);
      await assertReads(stage);
      limitFiles('unlimited');
      await everyone(stage, 'acked', 100);
    }
    await assertSettled(stage, 'unavailable');
    limitFiles('0');
    await killAmidRefusals(stage);
    assertKept(stage, dataDir);
    await serveProcess(t, dataDir);
  });
});
