import type { Bench, BenchContext } from './bench-case.ts';
import { compare, type Side } from './rounds.ts';
import { measureRoom, type RoomFigures } from './slow-room.ts';

const metrics = {
  p99Ms: { metric: 'slow.p99', unit: 'ms', better: 'lower' },
  rssMb: { metric: 'slow.rss', unit: 'MB', better: 'lower' },
  wrong: { metric: 'slow.caught_up', unit: 'messages', better: 'lower' },
} as const;
const defaultSeconds = 10;

/**
 * What one reader that stops reading does to the others, to the server, and to itself. The peer is
 * our own run without the stall; of `slow.caught_up`, only 0 will do.
 */
export const slow: Bench = {
  name: 'slow',
  async run(context) {
    await compare(
      context,
      metrics,
      roomSide(context, 'stalled', true),
      roomSide(context, 'self', false),
    );
  },
};

/** Each measurement has a server of its own: memory once taken is rarely given back. */
function roomSide(context: BenchContext, name: string, stalls: boolean): Side<keyof RoomFigures> {
  const seconds = context.options.seconds ?? defaultSeconds;
  return { name, measure: () => measureRoom(context, { seconds, stalls }) };
}
