import type { BenchContext } from './bench-case.ts';
import { LatencyLog } from './latency-log.ts';
import { paced } from './pace.ts';
import { until, within } from './patience.ts';
import { contentOf, registration } from './peers/nexus-peer.ts';
import { NexusServer } from './peers/nexus-server.ts';
import { StallingReader } from './stalling-reader.ts';
import { percentile } from './stats.ts';
import { numberPlace } from './wire/copies.ts';
import { textFrame } from './wire/ws-frames.ts';
import { WsLink } from './wire/ws-link.ts';

const healthyReaders = 49;
const messagesPerSecond = 250;
/** Before and after the measured time, at the same rate. */
const restSeconds = 2;
/** What the stalled reader is owed in the measured time: more than outbox and kernel will hold. */
const owedBytes = 14 * 1024 * 1024;
const patienceMs = 30_000;
const neverRecovered = 'the stalled reader was not closed, or its replay did not end';

/** What one run showed. */
export interface RoomFigures {
  /** Delivery latency of the healthy readers. */
  readonly p99Ms: number;
  /** Growth of the server's resident memory, at its highest. */
  readonly rssMb: number;
  /** Messages that the other reader missed or was given twice, all in all. */
  readonly wrong: number;
}

export interface RoomOptions {
  readonly seconds: number;
  /** Whether the other reader stops reading for the measured time. */
  readonly stalls: boolean;
}

/** Fifty aspects and a speaker at a fixed rate; every message is for `@all`. */
export async function measureRoom(
  context: BenchContext,
  { seconds, stalls }: RoomOptions,
): Promise<RoomFigures> {
  const server = await NexusServer.start(context);
  const log = new LatencyLog(healthyReaders);
  const links = await openHealthyReaders(server, (reader, n) => log.arrived(reader, n));
  const other = await StallingReader.connect(server);
  const speaker = await openSpeaker(server, Math.ceil(owedBytes / (messagesPerSecond * seconds)));
  const speak = (forSeconds: number) =>
    paced(messagesPerSecond, forSeconds, () => {
      log.sending();
      speaker.send();
    });
  try {
    await speak(restSeconds);
    const memory = watchMemory(server);
    if (stalls) other.stall();
    log.start();
    await speak(seconds);
    log.stop();
    const rssMb = memory.stop();
    const recovered = stalls && within(patienceMs, () => neverRecovered, other.recover());
    await Promise.all([recovered, speak(restSeconds)]);
    if (stalls) context.progress(`the stalled reader was closed with ${other.closeCode}`);
    // Gives up without an error: the figures tell.
    await until(patienceMs, () => log.complete === log.sent && speaker.acked.length === log.sent);
    await until(patienceMs, () => other.received.length >= log.sent);
    const p99Ms = percentile(log.latencies, 99);
    return { p99Ms, rssMb, wrong: differences(speaker.acked, other.received) };
  } finally {
    for (const link of [...links, speaker.link]) link.destroy();
    other.close();
    await server.process.stop();
  }
}

async function openHealthyReaders(
  server: NexusServer,
  arrived: (reader: number, messages: number) => void,
): Promise<WsLink[]> {
  const links: WsLink[] = [];
  for (let reader = 0; reader < healthyReaders; reader++) {
    const name = `reader-${reader}`;
    const link = await WsLink.open(server.url, await server.issueToken(name));
    await link.request('register', registration(name));
    link.count((messages) => arrived(reader, messages));
    links.push(link);
  }
  return links;
}

/** An operator that speaks and learns the ids of what was stored. */
async function openSpeaker(server: NexusServer, bytes: number) {
  const link = await WsLink.open(server.url, server.operatorToken);
  const acked: number[] = [];
  link.read(({ kind, payload }) => {
    if (kind !== 'chat.send.result') throw new Error(`the speaker got ${kind}`);
    acked.push(Number(payload?.['msg_id']));
  });
  const payload = { content: contentOf(bytes, 'mention') };
  const frame = textFrame(JSON.stringify({ kind: 'chat.send', id: numberPlace, payload }));
  return { link, acked, send: () => link.write(frame) };
}

/** Samples the server's memory; `stop` returns by how much it grew at most. */
function watchMemory({ process }: NexusServer): { stop(): number } {
  const before = process.rssMb();
  let most = before;
  const timer = setInterval(() => {
    most = Math.max(most, process.rssMb());
  }, 50);
  return {
    stop() {
      clearInterval(timer);
      return most - before;
    },
  };
}

/** How many of `expected` are missing, plus how many of `received` are too many. */
function differences(expected: readonly number[], received: readonly number[]): number {
  const distinct = new Set(received);
  const missing = expected.filter((id) => !distinct.has(id)).length;
  return missing + (received.length - (expected.length - missing));
}
