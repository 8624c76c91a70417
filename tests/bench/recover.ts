import type { Bench } from './bench-case.ts';
import type { Backlog, BacklogOptions } from './peers/backlog.ts';
import { JetStreamBacklog } from './peers/jetstream-backlog.ts';
import { NexusBacklog } from './peers/nexus-backlog.ts';
import { compare, type Side } from './rounds.ts';

const pending: BacklogOptions = { messages: 100_000, bytes: 256, inFlight: 256 };

const metrics = {
  firstMs: { metric: 'recover.first', unit: 'ms', better: 'lower' },
  lastMs: { metric: 'recover.all', unit: 'ms', better: 'lower' },
  cpuMs: { metric: 'recover.all.cpu', unit: 'cpu-ms', better: 'lower' },
} as const;

/**
 * How long after a crash the messages that were pending reach their reader: from the start of the
 * new process, on the files of a killed one, to the first message and to the last. The reader
 * connects as soon as the server says that it listens.
 */
export const recover: Bench = {
  name: 'recover',
  async run(context) {
    const nexus = await NexusBacklog.make(context, pending);
    const jetStream = await JetStreamBacklog.make(context, pending);
    await compare(context, metrics, recoverySide(nexus), jetStream && recoverySide(jetStream));
  },
};

function recoverySide(backlog: Backlog): Side<keyof typeof metrics> {
  return { name: backlog.name, measure: () => backlog.recover() };
}
