import type { Bench } from './bench-case.ts';
import type { Backlog, BacklogOptions } from './peers/backlog.ts';
import { JetStreamBacklog } from './peers/jetstream-backlog.ts';
import { NexusBacklog } from './peers/nexus-backlog.ts';
import { compare, type Side } from './rounds.ts';

const pending: BacklogOptions = { messages: 100_000, bytes: 256, inFlight: 256 };

const metrics = {
  first: { metric: 'recover.first', unit: 'ms', better: 'lower' },
  all: { metric: 'recover.all', unit: 'ms', better: 'lower' },
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
    await compare(context, metrics, recoverSide(nexus), jetStream && recoverSide(jetStream));
  },
};

function recoverSide(backlog: Backlog): Side<keyof typeof metrics> {
  return {
    name: backlog.name,
    async measure() {
      const { first, last } = await backlog.recover();
      return { first, all: last };
    },
  };
}
