import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { migrations } from '#nexus/app/broker';
import { verifyChain } from '#nexus/journal/maintenance';
import { openDatabase } from '#nexus/storage/database';
import { type ServeProcess, serveProcess } from './serve-process.ts';
import { temporaryFolder } from './start-nexus.ts';
import { type Delivered, TestClient } from './test-client.ts';

const rounds = Number(process.env['NEXUS_KILL_ROUNDS'] ?? 20);
const senders = ['anvil', 'wren', 'flint'];
const reader = 'keel';
/** Sends of one client that may wait for their ack. */
const inFlight = 16;

/** One acknowledged message. */
interface Acked {
  readonly id: number;
  readonly sender: string;
  readonly n: number;
  readonly forReader: boolean;
}

interface Stored {
  readonly id: number;
  readonly sender: string;
  readonly content: string;
}

/** Tokens outlive the broker: they are made once and used in every round. */
async function issueTokens(server: ServeProcess, dataDir: string): Promise<Map<string, string>> {
  const operator = readFileSync(join(dataDir, 'operator.token'), 'utf8').trim();
  const tokens = new Map<string, string>();
  for (const name of [...senders, reader]) {
    const response = await fetch(`${server.url}/api/admin/tokens`, {
      method: 'POST',
      headers: { authorization: `Bearer ${operator}`, 'content-type': 'application/json' },
      body: JSON.stringify({ name }),
    });
    assert.equal(response.status, 201);
    const { token } = (await response.json()) as { token: string };
    tokens.set(name, token);
  }
  return tokens;
}

class Workload {
  readonly acked: Acked[] = [];
  readonly #tokens: ReadonlyMap<string, string>;
  #n = 0;

  constructor(tokens: ReadonlyMap<string, string>) {
    this.#tokens = tokens;
  }

  open(server: ServeProcess, name: string): Promise<TestClient> {
    return TestClient.open(server.url, this.#tokens.get(name) ?? '');
  }

  /** Sends from all sides and kills the broker after so many acks. */
  async runUntilKilled(server: ServeProcess, acks: number): Promise<void> {
    const before = this.acked.length;
    const clients = await Promise.all(senders.map((name) => this.open(server, name)));
    const enough = Promise.withResolvers<void>();
    const ends = clients.map((client, index) =>
      this.#sendUntilClosed(client, senders[index] ?? '', () => {
        if (this.acked.length - before >= acks) enough.resolve();
      }),
    );
    await enough.promise;
    // Anywhere between two commits, or inside one.
    await new Promise((resolve) => setTimeout(resolve, randomInt(8)));
    await server.kill();
    await Promise.all(ends);
  }

  async #sendUntilClosed(client: TestClient, sender: string, onAck: () => void): Promise<void> {
    let open = true;
    const underWay = new Map<string, Omit<Acked, 'id'>>();
    const send = () => {
      if (!open) return;
      const n = ++this.#n;
      const forReader = n % 3 === 0;
      underWay.set(`m${n}`, { sender, n, forReader });
      const content = `${forReader ? `@${reader} ` : ''}#${n} ${'x'.repeat(randomInt(600))}`;
      client.send('chat.send', { content }, { id: `m${n}` });
    };
    client.ws.on('message', (data) => {
      const { kind, in_reply_to = '', payload } = JSON.parse(data.toString());
      const sent = underWay.get(in_reply_to);
      if (kind !== 'chat.send.result' || !sent) return;
      underWay.delete(in_reply_to);
      this.acked.push({ ...sent, id: payload.msg_id });
      onAck();
      send();
    });
    for (let i = 0; i < inFlight; i++) send();
    await client.closed;
    open = false;
  }
}

function storedMessages(dataDir: string): { messages: Stored[]; events: number } {
  const database = openDatabase(join(dataDir, 'nexus.db'), migrations);
  try {
    const messages = database.reader
      .prepare('SELECT id, from_agent AS sender, content FROM chat_messages ORDER BY id')
      .all() as Stored[];
    return { messages, events: verifyChain(database).events };
  } finally {
    database.close();
  }
}

const numberIn = (content: string): number => Number(/#(\d+)/.exec(content)?.[1]);

/** Every acked message is stored under its id, once, and each sender's are in order. */
function assertKept(acked: readonly Acked[], stored: readonly Stored[]): void {
  const byId = new Map(stored.map((each) => [each.id, each]));
  const byNumber = Map.groupBy(stored, ({ content }) => numberIn(content));
  assert.equal(byId.size, stored.length, 'ids are unique');
  for (const { id, sender, n } of acked) {
    assert.equal(byId.get(id)?.sender, sender, `message ${id} is there`);
    assert.equal(numberIn(byId.get(id)?.content ?? ''), n);
    assert.equal(byNumber.get(n)?.length, 1, `#${n} is stored once`);
  }
  for (const sender of senders) {
    const numbers = stored.filter((each) => each.sender === sender).map((s) => numberIn(s.content));
    assert.deepEqual(
      numbers,
      numbers.toSorted((a, b) => a - b),
      `${sender} in order`,
    );
  }
}

suite('durability', () => {
  test(`what was acknowledged survives ${rounds} kills, once and in order`, async (t: TestContext) => {
    const dataDir = temporaryFolder(t);
    let server = await serveProcess(t, dataDir);
    const tokens = await issueTokens(server, dataDir);
    const workload = new Workload(tokens);
    let cursor = 1;
    const received: Delivered[] = [];

    for (let round = 0; round < rounds; round++) {
      await workload.runUntilKilled(server, 1 + randomInt(150));
      const { messages, events } = storedMessages(dataDir);
      assert.ok(events >= messages.length, 'the hash chain holds');
      assertKept(workload.acked, messages);

      server = await serveProcess(t, dataDir);
      const client = await workload.open(server, reader);
      await client.register(reader, {
        session_id: `round-${round}`,
        request_replay: true,
        since_msg_id: cursor,
      });
      await client.nextOf('chat.replay.end');
      received.push(...client.delivered());
      cursor = received.at(-1)?.id ?? cursor;
      await client.leave();
    }

    const ids = received.map(({ id }) => id);
    assert.deepEqual(
      ids,
      [...new Set(ids)].toSorted((a, b) => a - b),
      'ascending, none doubled',
    );
    const got = new Set(ids);
    const missing = workload.acked.filter(({ id, forReader }) => forReader && !got.has(id));
    assert.deepEqual(missing, []);
    assert.ok(workload.acked.length >= rounds, 'every round acknowledged something');
    t.diagnostic(`${workload.acked.length} acked, ${received.length} replayed, ${rounds} kills`);
  });
});
