import { FrameRefused } from '#shared/frames/errors';
import type { JournalError, JournalErrorCode } from './errors.ts';

/** What a client is told, and what it can do; not where or why our disk failed. */
const refusals: Readonly<Record<JournalErrorCode, ConstructorParameters<typeof FrameRefused>>> = {
  'journal.full': ['storage_full', "the broker's disk is full; nothing was recorded"],
  'journal.io': ['unavailable', 'the broker cannot write to its disk; try again later'],
  'journal.busy': ['unavailable', 'too much is waiting to be recorded; try again later'],
  'journal.closed': ['unavailable', 'the broker is stopping; connect again later'],
  'journal.rejected': ['internal', 'the broker could not record this'],
  'journal.broken': ['internal', 'the broker could not record this'],
};

/** The refusal that a client gets for an event that was not recorded. */
export function refusalFor(error: JournalError): FrameRefused {
  const [code, message] = refusals[error.code];
  return new FrameRefused(code, message, { cause: error });
}
