import { readFile } from 'node:fs/promises';
import { text as readAll } from 'node:stream/consumers';
import type { Documents } from '#shared/config/personality';
import { messageOf } from '#shared/errors';
import type { BrokerAccess } from './broker-access.ts';
import { OperatorError } from './errors.ts';
import { callBroker } from './rest-client.ts';

/** A personality as the broker has it. */
export interface Fetched {
  readonly documents: Documents;
  readonly version: number;
  /** All of the answer. */
  readonly answer: Readonly<Record<string, unknown>>;
}

/** What a write came to. */
export type Written = Readonly<Record<string, unknown>>;

const pathOf = (name: string) => `/api/admin/aspect/${encodeURIComponent(name)}/personality`;
const centralPath = '/api/admin/nexus-md';

export async function fetchPersonality(
  access: BrokerAccess,
  name: string,
  version?: number,
): Promise<Fetched> {
  const answer = await callBroker(access, 'GET', `${pathOf(name)}${query('version', version)}`);
  const documents = {
    nexusMd: String(answer['nexus_md']),
    soulMd: String(answer['soul_md']),
    primerMd: String(answer['primer_md']),
  };
  return { documents, version: Number(answer['version']), answer };
}

/** Replaces a personality if it is still at that version. */
export function writePersonality(
  access: BrokerAccess,
  name: string,
  { nexusMd, soulMd, primerMd }: Documents,
  ifVersion: number,
): Promise<Written> {
  const body = { nexus_md: nexusMd, soul_md: soulMd, primer_md: primerMd };
  return callBroker(access, 'PUT', `${pathOf(name)}${query('if_version', ifVersion)}`, body);
}

export function fetchCentral(access: BrokerAccess, version?: number) {
  return callBroker(access, 'GET', `${centralPath}${query('version', version)}`);
}

/** Replaces the central document if it is still at that version. */
export function writeCentral(
  access: BrokerAccess,
  nexusMd: string,
  ifVersion: number,
): Promise<Written> {
  const path = `${centralPath}${query('if_version', ifVersion)}`;
  return callBroker(access, 'PUT', path, { nexus_md: nexusMd });
}

const query = (name: string, value: number | undefined): string =>
  value === undefined ? '' : `?${name}=${value}`;

/** The text of a file that a flag names, or of standard input for `-`. */
export async function readText(path: string): Promise<string> {
  try {
    return path === '-' ? await readAll(process.stdin) : await readFile(path, 'utf8');
  } catch (cause) {
    throw new OperatorError('operator.bad_text', `cannot read ${path}: ${messageOf(cause)}`, {
      cause,
    });
  }
}
