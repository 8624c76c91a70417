import type { JournalEvent, Projection } from '../journal/journal.ts';
import type { Database, Migration } from '../storage/database.ts';
import { AccountRows } from './account-rows.ts';
import type { OperatorEvent } from './events.ts';
import { PasskeyRows } from './passkey-rows.ts';
import { SessionRows } from './session-rows.ts';

/** `operator_passkeys` is the reference's (storage spec §4.4); its `operator` and the rest are ours. */
export const operatorMigration: Migration = {
  name: 'operators',
  sql: `
    CREATE TABLE operators (
      name       TEXT PRIMARY KEY COLLATE NOCASE,
      access     TEXT NOT NULL CHECK (access IN ('viewer', 'operator', 'admin')),
      created_at TEXT NOT NULL
    ) STRICT;
    CREATE TABLE operator_passkeys (
      id              INTEGER PRIMARY KEY AUTOINCREMENT,
      credential_id   BLOB NOT NULL UNIQUE,
      public_key      BLOB NOT NULL,
      sign_count      INTEGER NOT NULL DEFAULT 0,
      label           TEXT NOT NULL,
      credential_json TEXT NOT NULL DEFAULT '',
      registered_at   TEXT NOT NULL,
      last_used_at    TEXT,
      operator        TEXT NOT NULL DEFAULT 'operator' COLLATE NOCASE
    );
    CREATE TABLE operator_sessions (
      id         TEXT PRIMARY KEY,
      token_hash TEXT NOT NULL UNIQUE,
      operator   TEXT NOT NULL COLLATE NOCASE,
      method     TEXT NOT NULL,
      passkey_id INTEGER,
      agent      TEXT NOT NULL,
      address    TEXT NOT NULL,
      opened_at  INTEGER NOT NULL,
      seen_at    INTEGER NOT NULL,
      expires_at INTEGER NOT NULL
    ) STRICT;
  `,
};

type Apply = {
  readonly [Kind in OperatorEvent['kind']]: (
    body: Extract<OperatorEvent, { kind: Kind }>['body'],
    event: JournalEvent,
  ) => void;
};

/**
 * Who the operators are, their passkeys and their sessions.
 *
 * One projection for all three, because what one event needs of another table must not depend on
 * how events are grouped: an event that finds its right gone is refused, and is not recorded.
 */
export class OperatorStore implements Projection {
  readonly tables = ['operators', 'operator_passkeys', 'operator_sessions'];
  readonly kinds: readonly string[];
  readonly accounts: AccountRows;
  readonly passkeys: PasskeyRows;
  readonly sessions: SessionRows;
  readonly #apply: Apply;

  constructor({ writer }: Database) {
    this.accounts = new AccountRows(writer);
    this.passkeys = new PasskeyRows(writer);
    this.sessions = new SessionRows(writer);
    this.#apply = this.#rules();
    this.kinds = Object.keys(this.#apply);
  }

  apply(events: readonly JournalEvent[]): void {
    for (const event of events) {
      // `kinds` are this table's own keys.
      const apply = this.#apply[event.kind as OperatorEvent['kind']] as (
        body: object,
        event: JournalEvent,
      ) => void;
      apply(event.body, event);
    }
  }

  #rules(): Apply {
    const { accounts, passkeys, sessions } = this;
    return {
      'operator.added': ({ name, access }, { at }) => accounts.add(name, access, at),
      'operator.role_changed': ({ name, access }) => {
        accounts.assertThere(name);
        accounts.change(name, access);
      },
      'operator.removed': ({ name }) => {
        accounts.remove(name);
        passkeys.removeOf(name);
        sessions.endOf(name);
      },
      'operator.reset': () => {
        passkeys.removeAll();
        sessions.endAll();
      },
      'operator.passkey_added': (body, { position, at }) => {
        accounts.assertThere(body.operator);
        if (body.sessionId) sessions.assertThere(body.sessionId);
        passkeys.add(position, body, at);
      },
      'operator.passkey_used': ({ passkeyId, signCount }, { at }) =>
        passkeys.use(passkeyId, signCount, at),
      'operator.passkey_removed': ({ passkeyId }) => {
        passkeys.remove(passkeyId);
        sessions.endOfPasskey(passkeyId);
      },
      'operator.session_opened': (body, { at }) => {
        accounts.assertThere(body.operator);
        if (body.passkeyId !== undefined) passkeys.assertThere(body.passkeyId);
        sessions.open(body, at);
      },
      'operator.session_seen': ({ id }, { at }) => sessions.see(id, at),
      'operator.session_ended': ({ id }) => sessions.end(id),
    };
  }
}
