/** What one look at an instance found. */
export interface Finding {
  /** What was looked at. */
  readonly what: string;
  readonly state: 'ok' | 'warning' | 'problem';
  readonly found: string;
  /** How to mend it; for all but `ok`. */
  readonly mend?: string;
}

export const ok = (what: string, found: string): Finding => ({ what, state: 'ok', found });

export const warning = (what: string, found: string, mend: string): Finding => ({
  what,
  state: 'warning',
  found,
  mend,
});

export const problem = (what: string, found: string, mend: string): Finding => ({
  what,
  state: 'problem',
  found,
  mend,
});
