import { nameKey } from '#shared/config/names';
import type { Role } from '#shared/frames/define';

/** Who is on the other end, as its token says. Everything a caller does is done as this. */
export interface Identity {
  readonly name: string;
  readonly roles: ReadonlySet<Role>;
  /** Keys of other names that it may register: an Outpost's token lists the aspects of its host. */
  readonly grants?: ReadonlySet<string>;
  /** When its token ends, in milliseconds since the epoch; absent when it does not. */
  readonly expiresAt?: number;
  /** Of a session token: the keyfile version that it was given for. */
  readonly kfv?: number;
  /** Of a session token: which session it is. */
  readonly sessionId?: string;
  /** Of an opaque token: its hash, by which it is told from the one that follows it. */
  readonly tokenHash?: string;
  /** It may look and change nothing. */
  readonly scope?: 'read';
  /** The one dispatch that it works on, and nothing beside it. */
  readonly dispatchId?: string;
}

/** The human's name on the wire. No aspect may have it. */
export const operatorName = 'operator';

export const operatorIdentity: Identity = {
  name: operatorName,
  roles: new Set<Role>(['operator', 'admin']),
};

/** An aspect; `admin` lets it act for other names, `grants` lets it register them. */
export function aspectIdentity(
  name: string,
  rights: { readonly admin?: boolean; readonly grants?: readonly string[] | undefined } = {},
): Identity {
  const roles = new Set<Role>(rights.admin ? ['aspect', 'admin'] : ['aspect']);
  return { name, roles, ...(rights.grants && { grants: new Set(rights.grants.map(nameKey)) }) };
}

/** Whether two identities may do the same: only the tokens behind them differ. */
export function isSameCaller(one: Identity, other: Identity): boolean {
  const rights = ({ name, roles, grants, scope, dispatchId }: Identity) =>
    JSON.stringify([
      nameKey(name),
      [...roles].sort(),
      [...(grants ?? [])].sort(),
      scope,
      dispatchId,
    ]);
  return rights(one) === rights(other);
}

export const isReadOnly = (identity: Identity): boolean => identity.scope === 'read';
export const isOperator = (identity: Identity): boolean => identity.roles.has('operator');
export const isAdmin = (identity: Identity): boolean => identity.roles.has('admin');

/**
 * Who presents a token; undefined when nobody does. At once where that is possible, and soon
 * otherwise: whoever waits holds a place among the connections.
 */
export type Authenticate = (token: string) => Identity | undefined | Promise<Identity | undefined>;
