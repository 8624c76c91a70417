import assert from 'node:assert/strict';
import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import type { SessionTree } from './session-tree.ts';
import { openTree, temporaryFolder, userTurn } from './test-kit.ts';

/** What the tree should be: entries by parent, and where the head stands. */
interface Model {
  readonly parents: Map<string, string | undefined>;
  head: string;
}

type Step =
  | { do: 'append'; count: number }
  | { do: 'setHead'; pick: number }
  | { do: 'reopen' }
  /** Stops without the sidecar that `close` writes, perhaps in the middle of a line. */
  | { do: 'crash'; torn: Uint8Array };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('append'), count: fc.integer({ min: 1, max: 4 }) }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('setHead'), pick: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reopen') }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('crash'), torn: fc.uint8Array({ maxLength: 20 }) }),
  },
);

function pathOf({ parents, head }: Model): string[] {
  const path: string[] = [];
  for (let id: string | undefined = head; id !== undefined; id = parents.get(id)) path.unshift(id);
  return path;
}

suite('SessionTree against a model', () => {
  test('is what its acknowledged operations made it, however it was stopped', async (t) => {
    const folder = temporaryFolder(t);
    let runs = 0;

    async function crash(tree: SessionTree, path: string, torn: Uint8Array): Promise<void> {
      const headPath = path.replace('.jsonl', '.head.json');
      const sidecar = existsSync(headPath) ? readFileSync(headPath) : undefined;
      await tree.close();
      if (sidecar) writeFileSync(headPath, sidecar);
      else rmSync(headPath, { force: true });
      // Without newlines it is one torn line, and bytes as wild as these never are an entry.
      appendFileSync(
        path,
        torn.filter((byte) => byte !== 0x0a),
      );
    }

    async function perform(step: Step, tree: SessionTree, model: Model): Promise<void> {
      if (step.do === 'append') {
        const drafts = Array.from({ length: step.count }, (_, index) => userTurn(`${index}`));
        for (const entry of await Promise.all(drafts.map((draft) => tree.append(draft)))) {
          model.parents.set(entry.id, model.head);
          model.head = entry.id;
        }
      } else if (step.do === 'setHead') {
        const ids = [...model.parents.keys()];
        model.head = ids[step.pick % ids.length] ?? model.head;
        await tree.setHead(model.head);
      }
    }

    const holds = async (steps: readonly Step[]) => {
      const path = join(folder, `${runs++}.jsonl`);
      let tree = await openTree(path);
      const model: Model = { parents: new Map([[tree.head, undefined]]), head: tree.head };
      for (const step of steps) {
        await perform(step, tree, model);
        if (step.do === 'reopen') await tree.close();
        if (step.do === 'crash') await crash(tree, path, step.torn);
        if (step.do === 'reopen' || step.do === 'crash') tree = await openTree(path);
        const path_ = tree.path().map(({ id }) => id);
        assert.deepEqual(path_, pathOf(model));
        for (const id of model.parents.keys()) assert.equal(tree.find(id)?.id, id);
      }
      await tree.close();
    };
    const steps = fc.array(step, { minLength: 1, maxLength: 12 });
    await fc.assert(fc.asyncProperty(steps, holds), { numRuns: 60 });
  });
});
