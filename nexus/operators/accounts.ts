import { nameProblem } from '#shared/config/names';
import type { Access } from '#shared/frames/define';
import { FrameRefused } from '#shared/frames/errors';
import { operatorName } from '../credentials/identity.ts';
import type { Journal } from '../journal/journal.ts';
import type { Account } from './account-rows.ts';
import type {
  LoginLinkMade,
  OperatorAdded,
  OperatorRemoved,
  OperatorRoleChanged,
  OperatorsReset,
} from './events.ts';
import type { LoginCodes } from './login-codes.ts';
import type { OperatorStore } from './operator-store.ts';
import type { Site } from './site.ts';

/** Operators besides the first. */
export const maxOperators = 63;

export interface AccountsDeps {
  readonly journal: Journal;
  readonly store: OperatorStore;
  readonly codes: LoginCodes;
  readonly site: Site;
  /** Makes a new token for the data directory. */
  readonly renewToken: (actor: string) => Promise<void>;
}

export interface LoginLink {
  readonly url: string;
  readonly operator: string;
  readonly expiresAt: number;
}

/** The people who run this Nexus: who they are, what they may do, and how they first get in. */
export class Accounts {
  readonly #deps: AccountsDeps;
  readonly #listeners = new Set<(account: string | undefined) => void>();

  constructor(deps: AccountsDeps) {
    this.#deps = deps;
  }

  /** Calls `listener` with whose rights have changed or gone; with nobody's name for everybody. */
  onChange(listener: (account: string | undefined) => void): void {
    this.#listeners.add(listener);
  }

  list(): Account[] {
    return this.#deps.store.accounts.list();
  }

  /** Throws `FrameRefused` when there is no such operator. */
  get(name: string): Account {
    const account = this.#deps.store.accounts.find(name);
    if (!account) throw new FrameRefused('not_found', `there is no operator ${name}`);
    return account;
  }

  async add(name: string, access: Access, actor: string): Promise<Account> {
    const { accounts } = this.#deps.store;
    if (accounts.find(name)) {
      throw new FrameRefused('conflict', `there is an operator ${name} already`);
    }
    const problem = nameProblem(name);
    if (problem) throw new FrameRefused('bad_request', problem);
    if (accounts.list().length > maxOperators) {
      throw new FrameRefused('too_large', `there are ${maxOperators} more operators already`);
    }
    const event: OperatorAdded = { kind: 'operator.added', body: { name, access } };
    await this.#deps.journal.append({ ...event, actor });
    return this.get(name);
  }

  async setAccess(name: string, access: Access, actor: string): Promise<Account> {
    const account = this.#changeable(name);
    const body = { name: account.name, access };
    const event: OperatorRoleChanged = { kind: 'operator.role_changed', body };
    await this.#deps.journal.append({ ...event, actor });
    this.#tell(account.name);
    return this.get(account.name);
  }

  /** Their passkeys, sessions and links go with them. */
  async remove(name: string, actor: string): Promise<void> {
    const account = this.#changeable(name);
    const event: OperatorRemoved = { kind: 'operator.removed', body: { name: account.name } };
    await this.#deps.journal.append({ ...event, actor });
    this.#deps.codes.void(account.name);
    this.#tell(account.name);
  }

  /** A link that lets somebody in, once. */
  async makeLink(name: string, actor: string): Promise<LoginLink> {
    const { journal, codes, site } = this.#deps;
    const operator = this.get(name).name;
    const { code, expiresAt } = codes.make(operator);
    const body = { operator, expiresAt };
    const event: LoginLinkMade = { kind: 'operator.login_link_made', body };
    await journal.append({ ...event, actor });
    // Behind the `#`: browsers send no fragment, so the code is in no log and no Referer.
    return { url: `${site.home}/login#${code}`, operator, expiresAt };
  }

  /** Shuts everybody out: passkeys, sessions, links and the token of the data directory. */
  async reset(actor: string): Promise<void> {
    const event: OperatorsReset = { kind: 'operator.reset', body: {} };
    await this.#deps.journal.append({ ...event, actor });
    this.#deps.codes.void();
    await this.#deps.renewToken(actor);
    this.#tell(undefined);
  }

  #changeable(name: string): Account {
    const account = this.get(name);
    if (account.name !== operatorName) return account;
    throw new FrameRefused(
      'conflict',
      'the first operator comes with the data directory and stays',
    );
  }

  #tell(account: string | undefined): void {
    for (const listener of this.#listeners) listener(account);
  }
}
