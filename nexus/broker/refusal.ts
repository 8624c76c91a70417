import { FrameRefused, Refusal } from '#shared/frames/errors';
import { JournalError, type JournalErrorCode } from '../journal/errors.ts';
import { isDiskFailure, isDiskFull } from '../storage/disk-failure.ts';

type Told = ConstructorParameters<typeof FrameRefused>;

const full: Told = ['storage_full', "the broker's disk is full; nothing was recorded"];
const failing: Told = ['unavailable', 'the broker cannot use its disk; try again later'];
const notRecorded: Told = ['internal', 'the broker could not record this'];

const ofJournal: Readonly<Record<JournalErrorCode, Told>> = {
  'journal.full': full,
  'journal.io': failing,
  'journal.busy': ['unavailable', 'too much is waiting to be recorded; try again later'],
  'journal.closed': ['unavailable', 'the broker is stopping; connect again later'],
  'journal.rejected': notRecorded,
  'journal.broken': notRecorded,
};

/**
 * What a client is told of anything that was thrown. Only what we refuse on purpose crosses the
 * wire in words (style §6); of our disk no more than what to expect.
 */
export function refusalOf(thrown: unknown): Refusal {
  if (thrown instanceof Refusal) return thrown;
  const [code, message] = toldOf(thrown);
  return new FrameRefused(code, message, { cause: thrown });
}

function toldOf(thrown: unknown): Told {
  if (thrown instanceof JournalError) return ofJournal[thrown.code];
  if (isDiskFull(thrown)) return full;
  if (isDiskFailure(thrown)) return failing;
  return ['internal', 'internal error'];
}
