import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { FakeClock } from '#shared/sys/fake-clock';
import { newUlid } from '#shared/sys/ids';
import { silentLog } from '#shared/sys/log';
import type { Draft, EntryPayload } from './entry.ts';
import { type LogFile, type OpenLogFile, openLogFile } from './log-file.ts';
import { SessionTree, type SessionTreeDeps } from './session-tree.ts';

// Only tests import this file.

/** A folder that goes when the test ends. */
export function temporaryFolder(t: Pick<TestContext, 'after'>): string {
  const folder = mkdtempSync(join(tmpdir(), 'nexus-session-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function treeDeps(over: Partial<SessionTreeDeps> = {}): SessionTreeDeps {
  const clock = new FakeClock();
  return { aspect: 'wren', key: 'global', clock, newId: newUlid, log: silentLog, ...over };
}

export const openTree = (path: string, over?: Partial<SessionTreeDeps>): Promise<SessionTree> =>
  SessionTree.open(path, treeDeps(over));

export function userTurn(text: string, msgId?: number, turnId = `turn-${text}`): Draft {
  const trigger = { source: 'chat', from: 'operator', ...(msgId === undefined ? {} : { msgId }) };
  const content = [{ type: 'text', text } as const];
  return { kind: 'turn.user', payload: { content, text, trigger, turnId } };
}

export function assistantTurn(
  text: string,
  over: Partial<EntryPayload<'turn.assistant'>> = {},
): Draft {
  return {
    kind: 'turn.assistant',
    payload: {
      content: text === '' ? [] : [{ type: 'text', text }],
      text,
      provider: 'loopback',
      model: 'echo',
      stopReason: 'end_turn',
      usage: { tokens: { in: 1, out: 1, cacheHit: 0, cacheFill: 0 } },
      turnId: `turn-${text}`,
      ...over,
    },
  };
}

/** The texts of the active branch, without the header. */
export function texts(tree: SessionTree): string[] {
  return tree.path().flatMap(({ kind, payload }) => {
    if (kind === 'session') return [];
    return kind === 'unknown' ? ['?'] : [payload.text];
  });
}

/** A disk whose next writes fail, after some of their bytes arrived. */
export class FaultyDisk {
  /** What the next writes do: fail with this code once this many bytes are written. */
  readonly writeFaults: { code: string; after: number }[] = [];
  readonly truncateFaults: string[] = [];
  writes = 0;

  readonly openFile: OpenLogFile = async (path) => {
    const real = await openLogFile(path);
    const file: LogFile = {
      read: () => real.read(),
      write: async (bytes, position) => {
        this.writes++;
        const fault = this.writeFaults.shift();
        if (!fault) return real.write(bytes, position);
        await real.write(bytes.subarray(0, fault.after), position);
        throw systemError(fault.code);
      },
      truncate: async (length) => {
        const code = this.truncateFaults.shift();
        if (code) throw systemError(code);
        await real.truncate(length);
      },
      close: () => real.close(),
    };
    return file;
  };
}

const systemError = (code: string): Error => Object.assign(new Error(code), { code });
