/** The two words of a command line in their order, whichever way round they were written. */
export function inOrder(
  actions: readonly string[],
  first: string,
  second: string | undefined,
): { action: string; object: string | undefined } {
  const isTurned = !actions.includes(first) && second !== undefined && actions.includes(second);
  return isTurned ? { action: second, object: first } : { action: first, object: second };
}
