import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Static, Type } from 'typebox';
import { messageOf, NexusError } from '../errors.ts';
import { ContextMode } from '../frames/registration.ts';
import { compileSchema } from '../schema.ts';
import { nameProblem } from './names.ts';

const text = Type.String({ minLength: 1 });
const seconds = Type.Number({ exclusiveMinimum: 0 });
const count = Type.Integer({ minimum: 1 });

/** `aspect.json` (runtime spec §2.1). Members that only later versions read are accepted. */
const AspectJson = Type.Object({
  name: text,
  role: Type.Optional(Type.Union([Type.Literal('aspect'), Type.Literal('frame')])),
  /** What it does for the team, in a few words, shown to its teammates. */
  title: Type.Optional(text),
  context_mode: ContextMode,
  provider: Type.Optional(text),
  provider_config: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  port: Type.Optional(Type.Integer({ minimum: 0, maximum: 65535 })),
  capabilities: Type.Optional(Type.Array(Type.String())),
  nexus_url_env: Type.Optional(text),
  auth_token_env: Type.Optional(text),
  primary_surface: Type.Optional(Type.Union([Type.Literal('funnel'), Type.Literal('agora')])),
  metadata: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  limits: Type.Optional(
    Type.Object({
      /** Longest time for one answer, retries included. */
      turn_timeout_s: Type.Optional(seconds),
      /** Sessions that may think at the same time. */
      parallel_sessions: Type.Optional(count),
      /** Own posts in a thread without a word from the operator, after which it stays silent. */
      replies_per_thread: Type.Optional(count),
    }),
  ),
});
export type AspectJson = Static<typeof AspectJson>;

/** Known to the reference and to later versions; read by nobody here, yet no mistake. */
const toleratedMembers = [
  'commsPerms',
  'compaction',
  'filter',
  'filter_credential',
  'filter_provider',
  'filter_provider_config',
  'knowledge',
  'rewriter',
  'thread_idle_reap_s',
  'thread_sweep_interval_s',
];

/** An aspect's home folder, with its configuration read and checked. */
export interface AspectHome {
  readonly path: string;
  readonly config: AspectJson;
  /** What is odd but usable, for people. */
  readonly warnings: readonly string[];
}

/** The home cannot be used; the message names the file and what to change. */
export class AspectHomeError extends NexusError<'home.unreadable' | 'home.invalid'> {}

const check = compileSchema(AspectJson);

/** Reads `aspect.json` of a home folder. Throws `AspectHomeError`. */
export function loadAspectHome(path: string): AspectHome {
  const file = join(path, 'aspect.json');
  const value = readJson(file);
  if (!check.accepts(value)) {
    throw new AspectHomeError('home.invalid', `${file}: ${check.problemWith(value)}`);
  }
  const problem = nameProblem(value.name);
  if (problem) throw new AspectHomeError('home.invalid', `${file}: /name ${problem}`);
  const known = new Set([...Object.keys(AspectJson.properties), ...toleratedMembers]);
  const warnings = Object.keys(value)
    .filter((key) => !known.has(key))
    .map((key) => `${file}: "${key}" is not known and has no effect`);
  return { path, config: value, warnings };
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    const code = cause instanceof SyntaxError ? 'home.invalid' : 'home.unreadable';
    throw new AspectHomeError(code, `${file}: ${messageOf(cause)}`, { cause });
  }
}
