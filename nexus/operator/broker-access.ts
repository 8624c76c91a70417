import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { operatorTokenFile } from '../credentials/operator-token.ts';
import { type Endpoint, endpointFile, isRunning, readEndpoint } from '../storage/endpoint-file.ts';
import { OperatorError } from './errors.ts';

/** What it takes to talk to a broker as its operator. */
export interface BrokerAccess {
  readonly url: string;
  readonly token: string;
  /** The broker's certificate, where it has one of its own. */
  readonly pin: string | undefined;
}

/**
 * Finds the running broker of a data directory; `url` overrides where it is, `pin` its certificate,
 * and `token` with what it is entered.
 */
export function findBroker(
  dataDir: string,
  asked: {
    readonly url?: string | undefined;
    readonly pin?: string | undefined;
    readonly token?: string | undefined;
  },
): BrokerAccess {
  const { url } = asked;
  if (url !== undefined && !/^(http|ws)s?:$/.test(URL.parse(url)?.protocol ?? '')) {
    const message = `--url ${url}: write an address like http://127.0.0.1:7888`;
    throw new OperatorError('operator.no_broker', message);
  }
  const found = url === undefined ? runningBroker(dataDir) : { url, pin: undefined };
  const token = asked.token ?? operatorToken(dataDir);
  return { url: found.url, token, pin: asked.pin ?? found.pin };
}

/** Whether a broker runs on a data directory. */
export const hasBroker = (dataDir: string): boolean => endpointOf(dataDir) !== undefined;

function endpointOf(dataDir: string): Endpoint | undefined {
  const endpoint = readEndpoint(join(dataDir, endpointFile));
  return endpoint && isRunning(endpoint) ? endpoint : undefined;
}

function runningBroker(dataDir: string): Endpoint {
  const endpoint = endpointOf(dataDir);
  if (endpoint) return endpoint;
  throw new OperatorError(
    'operator.no_broker',
    `no broker is running on ${resolve(dataDir)}; start one with: nexus up ` +
      '(or say where it is with --data-dir or --url)',
  );
}

function operatorToken(dataDir: string): string {
  const path = join(dataDir, operatorTokenFile);
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (cause) {
    throw new OperatorError(
      'operator.no_token',
      `cannot read the operator's token in ${resolve(path)}; ` +
        'pass the --data-dir of the broker, as the user who runs it',
      { cause },
    );
  }
}
