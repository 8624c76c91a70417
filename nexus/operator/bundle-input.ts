import { createReadStream } from 'node:fs';
import { messageOf } from '#shared/errors';
import type { CredentialKind } from '#shared/frames/credentials';
import { type Bundle, kindRules, maxBundleBytes } from '../vault/kinds.ts';
import { OperatorError } from './errors.ts';
import { askLine, type Terminal } from './hidden-prompt.ts';

export interface BundleInput {
  /** A path, or `-` for standard input. */
  readonly file?: string | undefined;
  readonly kind?: CredentialKind | undefined;
  /** Standard input, and where to ask when that is a terminal. */
  readonly terminal: Terminal & { readonly input: { readonly isTTY?: boolean } };
}

/**
 * A credential's bundle, from a file, from standard input, or from whoever sits at the terminal;
 * never from the command line, which every user of the machine can read. Throws `OperatorError`.
 */
export async function readBundle({ file, kind, terminal }: BundleInput): Promise<Bundle> {
  if (file !== undefined && file !== '-') return parse(createReadStream(file), file);
  if (file === '-' || !terminal.input.isTTY) return parse(terminal.input, 'standard input');
  if (kind) return askFor(kind, terminal);
  throw new OperatorError('operator.no_input', 'say --kind, or give the bundle with --file');
}

/** Never with a word of what was read: it is secret. */
async function parse(input: NodeJS.ReadableStream, where: string): Promise<Bundle> {
  let text = '';
  try {
    for await (const chunk of input.setEncoding('utf8')) {
      text += chunk;
      // A few bytes may go into the blanks between members.
      if (text.length > 2 * maxBundleBytes) throw noInput(`${where} is too long for a bundle`);
    }
  } catch (error) {
    if (error instanceof OperatorError) throw error;
    throw noInput(`cannot read ${where}: ${messageOf(error)}`, error);
  }
  const value = parseJson(text);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Bundle;
  }
  throw noInput(`${where} holds no JSON object; a bundle is one, such as {"key": "…"}`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function askFor(kind: CredentialKind, terminal: Terminal): Promise<Bundle> {
  const { required, open } = kindRules[kind];
  const answers: [string, string][] = [];
  for (const member of required) {
    const hidden = !open.includes(member);
    const question = hidden ? `${member} (unseen): ` : `${member}: `;
    answers.push([member, await askLine(question, terminal, { hidden })]);
  }
  return Object.fromEntries(answers);
}

const noInput = (message: string, cause?: unknown) =>
  new OperatorError('operator.no_input', message, { cause });
