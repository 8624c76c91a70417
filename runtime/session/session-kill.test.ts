import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openTree, temporaryFolder, userTurn } from './test-kit.ts';

// This file is also the program that is killed.
const victimPath = process.env['NEXUS_KILL_VICTIM'];
const rounds = Number(process.env['NEXUS_KILL_ROUNDS'] ?? 5);

/** Appends, alone and in bursts, and rewinds, and prints what was acknowledged. */
async function runUntilKilled(path: string): Promise<void> {
  const tree = await openTree(path);
  const say = (line: string) => process.stdout.write(`${line}\n`);
  for (let round = 0; ; round++) {
    const { id } = await tree.append(userTurn('x'.repeat(randomInt(4000))));
    say(`entry ${id}`);
    const burst = Array.from({ length: randomInt(8) }, (_, n) => tree.append(userTurn(`${n}`)));
    await Promise.all(burst.map(async (each) => say(`entry ${(await each).id}`)));
    if (round % 3 === 2) {
      say(`rewinding ${id}`);
      await tree.setHead(id);
      say(`head ${id}`);
    }
  }
}

/** Lets the victim acknowledge so many things, then kills it. Everything it acknowledged. */
async function killAfter(path: string, count: number): Promise<string[]> {
  const child = spawn(
    process.execPath,
    ['--conditions=nexus-source', fileURLToPath(import.meta.url)],
    { env: { ...process.env, NEXUS_KILL_VICTIM: path }, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const exited = once(child, 'exit');
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    if (lines.length === count) child.kill('SIGKILL');
  }
  assert.deepEqual(await exited, [null, 'SIGKILL']);
  return lines;
}

if (victimPath !== undefined) {
  await runUntilKilled(victimPath);
} else {
  suite('SessionTree under SIGKILL', () => {
    test('keeps every entry and head it acknowledged', async (t) => {
      const path = join(temporaryFolder(t), 'global.jsonl');
      const known = new Set<string>();
      for (let round = 0; round < rounds; round++) {
        const lines = await killAfter(path, randomInt(1, 150));
        let head = '';
        let rewindingTo: string | undefined;
        for (const line of lines) {
          const [what, id = ''] = line.split(' ');
          known.add(id);
          // A rewind that was not acknowledged may have happened or not.
          rewindingTo = what === 'rewinding' ? id : undefined;
          if (what !== 'rewinding') head = id;
        }
        const tree = await openTree(path);
        for (const id of known) assert.ok(tree.find(id), `round ${round}: ${id} is lost`);
        const isOnBranch = tree.path().some(({ id }) => id === head);
        assert.ok(isOnBranch || tree.head === rewindingTo, `round ${round}: the head is elsewhere`);
        await tree.close();
      }
    });
  });
}
