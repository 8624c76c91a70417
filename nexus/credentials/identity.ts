import { nameKey } from '#shared/config/names';
import type { Role } from '#shared/frames/define';

/** Who is on the other end, as its token says. Everything a caller does is done as this. */
export interface Identity {
  readonly name: string;
  readonly roles: ReadonlySet<Role>;
  /** Keys of other names that it may register: an Outpost's token lists the aspects of its host. */
  readonly grants?: ReadonlySet<string>;
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

export const isOperator = (identity: Identity): boolean => identity.roles.has('operator');
export const isAdmin = (identity: Identity): boolean => identity.roles.has('admin');

/**
 * Who presents a token; undefined when nobody does. At once where that is possible, and soon
 * otherwise: whoever waits holds a place among the connections.
 */
export type Authenticate = (token: string) => Identity | undefined | Promise<Identity | undefined>;
