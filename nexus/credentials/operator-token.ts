import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { Journal } from '../journal/journal.ts';
import { isOperator, operatorName } from './identity.ts';
import type { TokenStore } from './token-store.ts';

/** In the data directory: whoever may read it is the operator. */
export const operatorTokenFile = 'operator.token';

/** Keeps the token file (mode 0600) and the stored hash in step; makes a new token if they differ. */
export async function ensureOperatorToken(
  path: string,
  tokens: TokenStore,
  journal: Journal,
): Promise<void> {
  if (existsSync(path)) {
    const identity = tokens.resolve(readFileSync(path, 'utf8').trim());
    if (identity && isOperator(identity)) return;
  }
  await renewOperatorToken(path, tokens, journal, operatorName);
}

/** Makes a new token and voids the one in the file. */
export async function renewOperatorToken(
  path: string,
  tokens: TokenStore,
  journal: Journal,
  by: string,
): Promise<void> {
  const token = await tokens.issue(journal, operatorName, by);
  writeFileSync(path, `${token}\n`, { mode: 0o600 });
}
