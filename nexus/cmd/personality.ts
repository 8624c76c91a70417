import type { CommandModule, InferredOptionTypes, Options } from 'yargs';
import { type Documents, documentNames } from '#shared/config/personality';
import { findBroker } from '../operator/broker-access.ts';
import { type Imported, importHomes } from '../operator/home-import.ts';
import {
  fetchPersonality,
  readText,
  type Written,
  writePersonality,
} from '../operator/personality-client.ts';
import { formatDocuments, parseDocuments } from '../operator/personality-text.ts';
import { editText } from '../operator/text-editor.ts';
import { aspectDirFlag, clientFlags, editorFlag } from './flags.ts';
import { inOrder } from './words.ts';

const fileFlag = (what: string) =>
  ({ type: 'string', nargs: 1, describe: `set: a file with ${what}` }) as const;

const flags = {
  ...clientFlags,
  ...editorFlag,
  ...aspectDirFlag,
  at: { type: 'number', describe: 'show: an earlier version' },
  file: fileFlag('all three, as edit shows them; - is standard input, here and below'),
  'nexus-md': fileFlag('what it does and how'),
  'soul-md': fileFlag('who it is'),
  'primer-md': fileFlag('what to know at a cold start'),
  'if-version': { type: 'number', describe: 'set: only if this is still the version' },
  overwrite: { type: 'boolean', default: false, describe: 'import: also where there is one' },
  'dry-run': { type: 'boolean', default: false, describe: 'import: only say what would be done' },
} as const satisfies Record<string, Options>;

type Flags = InferredOptionTypes<typeof flags> & { action: string; name: string | undefined };

const actions: Readonly<Record<string, (argv: Flags, name: string) => Promise<void>>> = {
  edit,
  show,
  set,
  import: importFrom,
};
const actionNames = Object.keys(actions);

/** `nexus personality edit|show|set|import NAME`: what the broker tells an aspect to be. */
export const command: CommandModule<object, Flags> = {
  command: 'personality <action> [name]',
  describe: `${actionNames.join(', ')} what an aspect is told to be`,
  builder: (yargs) =>
    yargs
      .options(flags)
      .positional('action', { type: 'string', demandOption: true })
      .positional('name', { type: 'string' })
      .check((argv) => {
        const { action, object: name } = inOrder(actionNames, argv.action, argv.name);
        if (!actionNames.includes(action)) return `personality ${actionNames.join('|')} NAME`;
        if (!name && action !== 'import')
          return `personality ${action} needs the name of an aspect`;
        const given = argv.file ?? argv['nexus-md'] ?? argv['soul-md'] ?? argv['primer-md'];
        return action !== 'set' || given !== undefined || 'set needs --file, or --soul-md and such';
      }),
  async handler(argv) {
    const { action, object: name = '' } = inOrder(actionNames, argv.action, argv.name);
    await actions[action]?.(argv, name);
  },
};

async function edit(argv: Flags, name: string): Promise<void> {
  const access = findBroker(argv['data-dir'], argv);
  const { documents, version, answer } = await fetchPersonality(access, name);
  const note =
    `${answer['aspect']}, version ${version}. What is above the first marker line is not kept; ` +
    'leave the marker lines as they are.\n';
  const written = await editText({
    name,
    text: `${note}\n${formatDocuments(documents)}`,
    editor: argv.editor,
    quiet: argv.json,
    parse: parseDocuments,
    save: (edited) => writePersonality(access, name, edited, version),
  });
  const { aspect } = answer;
  tell(argv, written ?? { aspect, old_version: version, new_version: version });
}

async function show(argv: Flags, name: string): Promise<void> {
  const access = findBroker(argv['data-dir'], argv);
  const { documents, answer } = await fetchPersonality(access, name, argv.at);
  if (argv.json) console.log(JSON.stringify(answer));
  else process.stdout.write(formatDocuments(documents));
}

async function set(argv: Flags, name: string): Promise<void> {
  const access = findBroker(argv['data-dir'], argv);
  const given: Partial<Record<keyof Documents, string>> =
    argv.file === undefined ? {} : { ...parseDocuments(await readText(argv.file)) };
  const paths = [argv['nexus-md'], argv['soul-md'], argv['primer-md']];
  for (const [at, document] of documentNames.entries()) {
    const path = paths[at];
    if (path !== undefined) given[document] = (await readText(path)).trimEnd();
  }
  const { documents, version } = await fetchPersonality(access, name);
  const ifVersion = argv['if-version'] ?? version;
  tell(argv, await writePersonality(access, name, { ...documents, ...given }, ifVersion));
}

async function importFrom(argv: Flags, name: string): Promise<void> {
  const access = findBroker(argv['data-dir'], argv);
  const folders = argv['aspect-dir'].split(',').filter((folder) => folder !== '');
  const { overwrite, 'dry-run': dryRun } = argv;
  for await (const home of importHomes(access, {
    folders,
    name: name || undefined,
    overwrite,
    dryRun,
  })) {
    console.log(argv.json ? JSON.stringify(home) : lineOf(home));
    if (home.outcome === 'refused') process.exitCode = 1;
  }
}

const lineOf = ({ name, outcome, version = 0, problem }: Imported): string =>
  `${name}: ${outcome.replace('_', ' ')}${problem ? `: ${problem}` : `, version ${version}`}`;

function tell({ json }: Flags, written: Written): void {
  const { aspect, old_version, new_version } = written;
  const words = old_version === new_version ? 'unchanged' : 'saved';
  console.log(json ? JSON.stringify(written) : `${aspect}: ${words}, version ${new_version}`);
}
