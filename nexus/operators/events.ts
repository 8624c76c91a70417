import type { Access } from '#shared/frames/define';

/** Somebody may run this Nexus too, or no longer, or with other rights. */
export interface OperatorAdded {
  readonly kind: 'operator.added';
  readonly body: { readonly name: string; readonly access: Access };
}

export interface OperatorRoleChanged {
  readonly kind: 'operator.role_changed';
  readonly body: { readonly name: string; readonly access: Access };
}

/** Their passkeys and sessions go with them. */
export interface OperatorRemoved {
  readonly kind: 'operator.removed';
  readonly body: { readonly name: string };
}

/** Every passkey and every session is void. Who the operators are stays. */
export interface OperatorsReset {
  readonly kind: 'operator.reset';
  readonly body: Record<string, never>;
}

/** A way in for one person, once. The code itself is never recorded. */
export interface LoginLinkMade {
  readonly kind: 'operator.login_link_made';
  readonly body: { readonly operator: string; readonly expiresAt: number };
}

/** Its position is the passkey's id. */
export interface PasskeyAdded {
  readonly kind: 'operator.passkey_added';
  readonly body: {
    readonly operator: string;
    readonly label: string;
    /** base64url, both. */
    readonly credentialId: string;
    readonly publicKey: string;
    /** As the reference stores it (auth spec §8). */
    readonly credential: object;
    /** Whose right it was registered by; it must still hold when this is recorded. */
    readonly sessionId?: string;
  };
}

/** Refused when the counter does not rise: then somebody has a copy of the key. */
export interface PasskeyUsed {
  readonly kind: 'operator.passkey_used';
  readonly body: { readonly passkeyId: number; readonly signCount: number };
}

export interface PasskeyRemoved {
  readonly kind: 'operator.passkey_removed';
  readonly body: { readonly passkeyId: number };
}

export interface SessionOpened {
  readonly kind: 'operator.session_opened';
  readonly body: {
    readonly id: string;
    readonly tokenHash: string;
    readonly operator: string;
    readonly method: LoginMethod;
    readonly passkeyId?: number;
    /** What the browser calls itself. */
    readonly agent: string;
    readonly address: string;
    readonly expiresAt: number;
  };
}

/** It was used; recorded once an hour, so that it does not end as idle. */
export interface SessionSeen {
  readonly kind: 'operator.session_seen';
  readonly body: { readonly id: string };
}

export interface SessionEnded {
  readonly kind: 'operator.session_ended';
  readonly body: { readonly id: string; readonly why: 'logout' | 'sign-out' };
}

/** Nobody came in. At most so many an hour are recorded; `unrecorded` counts the rest. */
export interface LoginFailed {
  readonly kind: 'operator.login_failed';
  readonly body: {
    readonly method: LoginMethod;
    readonly address: string;
    readonly why: string;
    readonly unrecorded: number;
  };
}

export type LoginMethod = 'link' | 'passkey';

/** What changes the tables. */
export type OperatorEvent =
  | OperatorAdded
  | OperatorRoleChanged
  | OperatorRemoved
  | OperatorsReset
  | PasskeyAdded
  | PasskeyUsed
  | PasskeyRemoved
  | SessionOpened
  | SessionSeen
  | SessionEnded;

/** What is recorded for the audit only. */
export type OperatorNote = LoginLinkMade | LoginFailed;
