/** The middle value; of an even number of values, the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)];
  const lower = sorted[Math.ceil(middle) - 1];
  if (upper === undefined || lower === undefined) throw new Error('a median needs values');
  return (lower + upper) / 2;
}

/** The smallest value that at least `percent` of the values do not exceed (nearest rank). */
export function percentile(values: Float64Array | readonly number[], percent: number): number {
  const sorted = Float64Array.from(values).sort();
  const value = sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)];
  if (value === undefined) throw new Error('a percentile needs values');
  return value;
}

/** Cut to four significant digits: what follows is noise. */
export const rounded = (value: number): number => Number(value.toPrecision(4));
