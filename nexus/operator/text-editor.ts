import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageOf } from '#shared/errors';
import { OperatorError } from './errors.ts';

export interface EditTask<Value, Result> {
  /** Of the file, without its extension. */
  readonly name: string;
  readonly text: string;
  /** A command line; the file's path is put behind it. */
  readonly editor: string;
  /** Whether what the editor writes to its output goes to standard error: ours is for programs. */
  readonly quiet: boolean;
  /** Reads the text. Throws when it is not as it should be. */
  parse(text: string): Value;
  save(value: Value): Promise<Result>;
}

/**
 * Has a person edit a text, in a file for this user only that goes afterwards. What comes out is
 * saved; `undefined` when nothing was changed. Throws `OperatorError`: `operator.editor` when the
 * editor fails, `operator.not_saved` when the text cannot be used or saved: then the file stays.
 */
export async function editText<Value, Result>(
  task: EditTask<Value, Result>,
): Promise<Result | undefined> {
  const folder = await mkdtemp(join(tmpdir(), 'nexus-edit-'));
  const file = join(folder, `${task.name}.md`);
  const discard = () => rm(folder, { recursive: true, force: true });
  let text: string;
  try {
    await writeFile(file, task.text, { mode: 0o600 });
    await runEditor(task, file);
    text = await readFile(file, 'utf8');
  } catch (cause) {
    await discard();
    if (cause instanceof OperatorError) throw cause;
    const message = `the text cannot be edited: ${messageOf(cause)}`;
    throw new OperatorError('operator.editor', message, { cause });
  }
  try {
    const value = task.parse(text);
    const isSame = JSON.stringify(value) === JSON.stringify(task.parse(task.text));
    const result = isSame ? undefined : await task.save(value);
    await discard();
    return result;
  } catch (cause) {
    const message = `${messageOf(cause)}; nothing was saved, your text is in ${file}`;
    throw new OperatorError('operator.not_saved', message, { cause });
  }
}

async function runEditor({ editor, quiet }: { editor: string; quiet: boolean }, file: string) {
  // Ctrl-C is the editor's: ours must stay to take the file away.
  const ignore = () => undefined;
  process.on('SIGINT', ignore);
  try {
    // Through a shell, as everywhere: $EDITOR may have flags and quotes.
    const child = spawn(`${editor} ${quoted(file)}`, {
      shell: true,
      stdio: ['inherit', quiet ? 2 : 'inherit', 'inherit'],
    });
    const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
    if (code === 0) return;
    const message = `the editor (${editor}) ended with ${signal ?? code}; nothing was changed`;
    throw new OperatorError('operator.editor', message);
  } finally {
    process.off('SIGINT', ignore);
  }
}

const quoted = (path: string): string =>
  process.platform === 'win32' ? `"${path}"` : `'${path.replaceAll("'", "'\\''")}'`;
