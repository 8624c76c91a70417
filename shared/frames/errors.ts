import { type Static, Type } from 'typebox';
import { NexusError } from '../errors.ts';

/** Payload of every `<kind>.error` frame. `error` is for people, `code` for programs. */
export const ErrorPayload = Type.Object({
  error: Type.String(),
  code: Type.Optional(Type.String()),
});
export type ErrorPayload = Static<typeof ErrorPayload>;

/** Codes that any kind may answer with (wire spec G14). Features add their own. */
export type WireErrorCode =
  | 'bad_request'
  | 'busy'
  | 'cancelled'
  | 'conflict'
  | 'forbidden'
  | 'internal'
  | 'not_found'
  | 'not_registered'
  | 'storage_full'
  | 'timeout'
  | 'too_large'
  | 'turn_failed'
  | 'unavailable'
  | 'unsupported';

const passing: ReadonlySet<string> = new Set<WireErrorCode>([
  'busy',
  'internal',
  'storage_full',
  'timeout',
  'unavailable',
]);

/** Whether the same request may succeed later. Any other code is the answer to it. */
export const isPassing = (code: string | undefined): boolean =>
  code !== undefined && passing.has(code);

/** Characters of a refusal's text: it may quote what a client sent, and that may be long. */
const maxRefusalLength = 2_000;

/** A refusal whose text and code may cross the wire. The router turns it into an error frame. */
export class Refusal<Code extends string = string> extends NexusError<Code> {
  constructor(code: Code, message: string, options?: ErrorOptions) {
    super(code, shortened(message), options);
  }
}

/** A refusal with one of the codes that any kind may answer with. */
export class FrameRefused extends Refusal<WireErrorCode> {}

const shortened = (text: string): string =>
  text.length <= maxRefusalLength ? text : `${text.slice(0, maxRefusalLength - 1)}…`.toWellFormed();

/** An undecodable text message: not JSON, not an envelope, or a `ts` that is no time. */
export class UndecodableFrame extends NexusError<'undecodable'> {
  constructor(message: string, options?: ErrorOptions) {
    super('undecodable', message, options);
  }
}

/** The kind of the error frame that answers `kind`. */
export const errorKindOf = (kind: string): string => `${kind}.error`;
