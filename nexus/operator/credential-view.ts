import { printable } from './message-view.ts';

/** What the broker tells of a credential. */
export interface CredentialFacts {
  readonly name: string;
  readonly description: string;
  readonly kind: string;
  readonly allowed_aspects: readonly string[];
  readonly mode: string;
  readonly created_at: string;
  readonly updated_at: string;
  readonly last_used_at?: string;
  readonly key_id?: string;
  readonly locked?: boolean;
}

/** One line of a credential's audit. */
export interface AuditFacts {
  readonly aspect: string;
  readonly action: string;
  readonly ts: string;
  readonly details: unknown;
}

/** One credential, a fact a line. */
export function credentialCard(facts: CredentialFacts): string {
  const { allowed_aspects: _, ...plain } = facts;
  const rows = Object.entries({ ...plain, allowed: allowed(facts) });
  return table(rows.map(([name, value]) => [name, value === true ? 'yes' : String(value)]));
}

export function credentialTable(credentials: readonly CredentialFacts[]): string {
  if (credentials.length === 0) return 'no credentials are stored';
  const header = ['NAME', 'KIND', 'MODE', 'ALLOWED', 'LAST USED', 'DESCRIPTION'];
  const rows = credentials.map((facts) => [
    facts.locked ? `${facts.name} (locked)` : facts.name,
    facts.kind,
    facts.mode,
    allowed(facts),
    shortTime(facts.last_used_at ?? ''),
    facts.description,
  ]);
  return table([header, ...rows]);
}

export function accessTable(rows: readonly AuditFacts[]): string {
  if (rows.length === 0) return 'nobody has asked for it';
  const header = ['WHEN', 'ASPECT', 'ACTION', 'DETAILS'];
  return table([
    header,
    ...rows.map(({ ts, aspect, action, details }) => [
      shortTime(ts),
      aspect,
      action,
      JSON.stringify(details),
    ]),
  ]);
}

/** The members of an answer, a line each. */
export const memberTable = (members: object): string =>
  table(Object.entries(members).map(([name, value]) => [name, String(value) || '(none)']));

const allowed = ({ allowed_aspects: names }: CredentialFacts): string =>
  names.join(', ') || 'nobody';

const shortTime = (text: string): string => text.slice(0, 19).replace('T', ' ');

function table(rows: readonly (readonly string[])[]): string {
  const cells = rows.map((row) => row.map((cell) => printable(cell).replaceAll('\n', '·')));
  const widths = (cells[0] ?? []).map((_, column) =>
    Math.max(...cells.map((row) => row[column]?.length ?? 0)),
  );
  return cells
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
