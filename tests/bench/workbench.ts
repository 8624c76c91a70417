import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Closers } from '#shared/sys/closers';
import { type ServerCommand, ServerProcess } from './process.ts';

export const repository = join(import.meta.dirname, '..', '..');

/**
 * Everything a run leaves behind until it is closed: servers, and a folder for their data.
 *
 * The folder is in the checkout's git-ignored `data/`, not in the system's temporary folder: that
 * may be a tmpfs, where a sync costs nothing and durable figures would mean nothing.
 */
export class Workbench {
  readonly #folder: string;
  readonly #closers = new Closers();
  #folders = 0;
  #closed = false;

  constructor() {
    const parent = join(repository, 'data');
    mkdirSync(parent, { recursive: true });
    this.#folder = mkdtempSync(join(parent, 'bench-'));
    this.#closers.add(() => rmSync(this.#folder, { recursive: true, force: true }));
  }

  /** A fresh, empty folder. */
  makeFolder(purpose: string): string {
    this.#folders += 1;
    const path = join(this.#folder, `${purpose}-${this.#folders}`);
    mkdirSync(path);
    return path;
  }

  /** A fresh folder with the same files. */
  copyFolder(folder: string): string {
    const path = this.makeFolder('copy');
    cpSync(folder, path, { recursive: true });
    return path;
  }

  /** Removes one of these folders before the end. */
  removeFolder(folder: string): void {
    rmSync(folder, { recursive: true, force: true });
  }

  async start(command: ServerCommand): Promise<ServerProcess> {
    if (this.#closed) throw new Error('the run is over');
    const server = new ServerProcess(command);
    this.#closers.add(() => server.stop());
    await server.whenReady();
    return server;
  }

  /** Ends the servers and removes the folder. Safe to call twice. */
  close(): Promise<void> {
    this.#closed = true;
    return this.#closers.closeAll();
  }
}
