import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { OperatorError } from './errors.ts';

/** A terminal: where it is typed, and where the question is shown. */
export interface Terminal {
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
}

/** Asks for one line, unseen if it is a secret. Rejects when the person leaves instead. */
export function askLine(
  question: string,
  { input, output }: Terminal,
  { hidden }: { hidden: boolean },
): Promise<string> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  output.write(question);
  const lines = createInterface({ input, output: hidden ? nowhere : output, terminal: true });
  return new Promise((resolve, reject) => {
    lines.once('line', (line) => {
      resolve(line);
      lines.close();
      if (hidden) output.write('\n');
    });
    lines.once('SIGINT', () => lines.close());
    // After a line this comes too late to matter.
    lines.once('close', () => {
      reject(new OperatorError('operator.no_input', 'nothing was stored: you ended the input'));
    });
  });
}
