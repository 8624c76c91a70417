import { rounded } from './stats.ts';

/** One line of output (architecture §9). */
export interface Result {
  readonly metric: string;
  readonly value: number;
  readonly unit: string;
  readonly better: 'higher' | 'lower';
  readonly peer: string | null;
  readonly peer_value: number | null;
  /** Ours divided by the peer's. */
  readonly ratio: number | null;
}

export type Metric = Pick<Result, 'metric' | 'unit' | 'better'>;

/** A result against a peer. */
export function against(metric: Metric, value: number, peer: string, peerValue: number): Result {
  return {
    ...alone(metric, value),
    peer,
    peer_value: rounded(peerValue),
    ratio: peerValue === 0 ? null : rounded(value / peerValue),
  };
}

/** A result that has no peer, or whose peer is absent. */
export function alone({ metric, unit, better }: Metric, value: number): Result {
  return { metric, value: rounded(value), unit, better, peer: null, peer_value: null, ratio: null };
}
