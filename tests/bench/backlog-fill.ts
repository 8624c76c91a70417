import type { Publish } from './peers/peer.ts';

export interface BacklogSize {
  readonly messages: number;
  readonly inFlight: number;
}

/**
 * Publishes so many messages through `open`, which is told of every acknowledgement, and resolves
 * when all are acknowledged.
 */
export async function fillBacklog(
  { messages, inFlight }: BacklogSize,
  open: (acked: (messages: number) => void) => Promise<Publish>,
): Promise<void> {
  let acknowledged = 0;
  let published = 0;
  let finish: () => void = () => undefined;
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const publishSome = () => {
    const some = Math.min(messages, acknowledged + inFlight) - published;
    published += some;
    if (some > 0) publish(some);
  };
  const publish = await open((more) => {
    acknowledged += more;
    if (acknowledged >= messages) finish();
    else publishSome();
  });
  publishSome();
  await finished;
}
