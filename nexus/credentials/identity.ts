import { nameKey } from '#shared/config/names';
import { type Access, accessLevels, type Role } from '#shared/frames/define';

/** Who is on the other end, as its token says. Everything a caller does is done as this. */
export interface Identity {
  readonly name: string;
  readonly roles: ReadonlySet<Role>;
  /** Keys of other names that it may register: an Outpost's token lists the aspects of its host. */
  readonly grants?: ReadonlySet<string>;
  /** When its token or session ends, in milliseconds since the epoch; absent when it does not. */
  readonly expiresAt?: number;
  /** Of a session token: the keyfile version that it was given for. */
  readonly kfv?: number;
  /** Of a session token, or a browser's session: which session it is. */
  readonly sessionId?: string;
  /** Of an opaque token: its hash, by which it is told from the one that follows it. */
  readonly tokenHash?: string;
  /** It may look and change nothing. */
  readonly scope?: 'read';
  /** The one dispatch that it works on, and nothing beside it. */
  readonly dispatchId?: string;
  /** Of an operator's connection: which of the operators, and how much they may do. */
  readonly operator?: OperatorRights;
}

/** One of the people who run this Nexus. On the wire all of them are `operator`. */
export interface OperatorRights {
  readonly account: string;
  readonly access: Access;
  /** When they last proved who they are; absent for the token in the data directory. */
  readonly provedAt?: number;
}

/** The human's name on the wire. No aspect may have it. */
export const operatorName = 'operator';

/** An operator, by what they may do. Only an admin has the role of one. */
export function operatorWith(
  rights: OperatorRights,
  session: { readonly sessionId?: string; readonly expiresAt?: number } = {},
): Identity {
  const roles = new Set<Role>(rights.access === 'admin' ? ['operator', 'admin'] : ['operator']);
  return { name: operatorName, roles, operator: rights, ...session };
}

/** Whoever can read the data directory. */
export const operatorIdentity: Identity = operatorWith({ account: operatorName, access: 'admin' });

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
  const rights = ({ name, roles, grants, scope, dispatchId, operator }: Identity) =>
    JSON.stringify([
      nameKey(name),
      [...roles].sort(),
      [...(grants ?? [])].sort(),
      scope,
      dispatchId,
      operator?.account,
      operator?.access,
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

/** Whether somebody with this access may do what needs that one. */
export const isEnough = (access: Access, needed: Access): boolean =>
  accessLevels.indexOf(access) >= accessLevels.indexOf(needed);

/** Who did something, for the journal: tells the operators apart, and from aspects. */
export function actorOf({ name, operator }: Identity): string {
  return operator && operator.account !== operatorName ? actorName(operator.account) : name;
}

export const actorName = (account: string): string =>
  account === operatorName ? account : `${operatorName}:${account}`;
