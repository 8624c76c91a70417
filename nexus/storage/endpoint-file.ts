import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';

/** What a running broker leaves in its data directory, for the other commands to find it. */
export interface Endpoint {
  /** Base address, such as `http://127.0.0.1:7888`. */
  readonly url: string;
  readonly pid: number;
  /** Pin of its certificate, if it has one. */
  readonly pin?: string | undefined;
}

export const endpointFile = 'broker.json';

export function writeEndpoint(path: string, endpoint: Endpoint): void {
  writeFileSync(path, `${JSON.stringify(endpoint)}\n`, { mode: 0o600 });
}

export function removeEndpoint(path: string): void {
  rmSync(path, { force: true });
}

/** The endpoint, if a broker wrote one. It may have ended without removing it. */
export function readEndpoint(path: string): Endpoint | undefined {
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Endpoint) : undefined;
}

/** Whether the process that wrote it is there: one that was killed leaves its file behind. */
export function isRunning({ pid }: Endpoint): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    // No such process, or one of another user: either way not ours to talk to.
    return false;
  }
}
