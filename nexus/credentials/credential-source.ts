import type { CredentialKind } from '#shared/frames/credentials';

/** A stored credential, opened. */
export interface Credential {
  readonly name: string;
  readonly kind: CredentialKind;
  /** Its members depend on the kind. */
  readonly bundle: Readonly<Record<string, unknown>>;
}

/** What an aspect asks for, and what is recorded of its asking. */
export interface CredentialAsk {
  readonly aspect: string;
  readonly kind: CredentialKind;
  /** Without it, the aspect's default of the kind. */
  readonly name: string | undefined;
  /** The connection's number, and whose token opened it. */
  readonly connection: number;
  readonly identity: string;
}

/** Where aspects' credentials come from. */
export interface CredentialSource {
  /**
   * The credential that an aspect may read; resolves once it is recorded that it was handed out.
   * Undefined when there is none and also when the aspect is not on its list, so that nobody can
   * find out which names exist (auth spec §14 C6). Throws `FrameRefused` for what an aspect on the
   * list may know: `bad_request` (without a name where there is no default; another kind),
   * `forbidden` (it is not to be handed out).
   */
  fetch(ask: CredentialAsk): Promise<Credential | undefined>;
}
