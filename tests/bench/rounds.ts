import type { BenchContext } from './bench-case.ts';
import { against, alone, type Metric } from './report.ts';
import { median, rounded } from './stats.ts';

/** One of the things compared. `measure` runs one round and gives a figure for each metric. */
export interface Side<Name extends string> {
  readonly name: string;
  measure(): Promise<Readonly<Record<Name, number>>>;
}

/**
 * Measures the sides in turn, round by round, and reports the medians. Who begins changes with
 * every round, so that a machine that slows down or speeds up favours nobody.
 */
export async function compare<Name extends string>(
  context: BenchContext,
  metrics: Readonly<Record<Name, Metric>>,
  ours: Side<Name>,
  peer: Side<Name> | undefined,
): Promise<void> {
  const sides = peer ? [ours, peer] : [ours];
  const figures = new Map(sides.map((side) => [side, [] as Readonly<Record<Name, number>>[]]));
  const { rounds } = context.options;
  for (let round = 1; round <= rounds; round++) {
    for (const side of round % 2 === 1 ? sides : sides.toReversed()) {
      const figure = await side.measure();
      figures.get(side)?.push(figure);
      context.progress(`round ${round}/${rounds}: ${side.name}: ${describe(metrics, figure)}`);
    }
  }
  const medianOf = (side: Side<Name>, name: Name) =>
    median((figures.get(side) ?? []).map((figure) => figure[name]));
  for (const name of Object.keys(metrics) as Name[]) {
    const value = medianOf(ours, name);
    context.report(
      peer
        ? against(metrics[name], value, peer.name, medianOf(peer, name))
        : alone(metrics[name], value),
    );
  }
}

function describe<Name extends string>(
  metrics: Readonly<Record<Name, Metric>>,
  figure: Readonly<Record<Name, number>>,
): string {
  return (Object.keys(metrics) as Name[])
    .map((name) => `${metrics[name].metric} ${rounded(figure[name])} ${metrics[name].unit}`)
    .join(', ');
}
