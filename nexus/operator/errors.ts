import { NexusError } from '#shared/errors';

export type OperatorErrorCode =
  /** No broker was found where it was looked for. */
  | 'operator.no_broker'
  /** There is no operator token to read. */
  | 'operator.no_token'
  /** The broker refused a request. */
  | 'operator.refused'
  /** What is to be stored was not given, or cannot be read. */
  | 'operator.no_input'
  /** Somebody who was asked did not answer in time. */
  | 'operator.no_answer'
  /** The editor could not be run, or says that it failed. */
  | 'operator.editor'
  /** A text or a file of the operator's cannot be used. */
  | 'operator.bad_text'
  /** An edited text was not saved; it is kept in a file. */
  | 'operator.not_saved';

/** A command of the operator's could not do its work; the message says what to do. */
export class OperatorError extends NexusError<OperatorErrorCode> {}
