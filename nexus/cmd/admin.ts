import type { CommandModule, InferredOptionTypes, Options } from 'yargs';
import { Shutdown } from '#shared/frames/lifecycle';
import { type BrokerAccess, findBroker } from '../operator/broker-access.ts';
import {
  fetchCentral,
  readText,
  type Written,
  writeCentral,
} from '../operator/personality-client.ts';
import { callBroker } from '../operator/rest-client.ts';
import { editText } from '../operator/text-editor.ts';
import { clientFlags, editorFlag } from './flags.ts';
import { inOrder } from './words.ts';

const flags = {
  ...clientFlags,
  ...editorFlag,
  at: { type: 'number', describe: 'nexus-md show: an earlier version' },
  file: {
    type: 'string',
    nargs: 1,
    describe: 'nexus-md set: a file with the text; - is standard input',
  },
  'if-version': { type: 'number', describe: 'nexus-md set: only if this is still the version' },
} as const satisfies Record<string, Options>;

type Flags = InferredOptionTypes<typeof flags> & { action: string; object: string | undefined };

type Action = (argv: Flags, access: BrokerAccess, object: string) => Promise<void>;

const centralActions: Readonly<Record<string, Action>> = { edit, show, set };

/** What comes first, and what may come second. */
const actions: Readonly<Record<string, Action>> = {
  'nexus-md': async (argv, access, object) => centralActions[object]?.(argv, access, object),
  [Shutdown.kind]: shutdown,
  op,
};
const actionNames = Object.keys(actions);
const usage = `admin nexus-md ${Object.keys(centralActions).join('|')}, admin shutdown, admin op ID`;

/** `nexus admin nexus-md|shutdown|op`: what concerns the broker itself. */
export const command: CommandModule<object, Flags> = {
  command: 'admin <action> [object]',
  describe: usage,
  builder: (yargs) =>
    yargs
      .options(flags)
      .positional('action', { type: 'string', demandOption: true })
      .positional('object', { type: 'string' })
      .check((argv) => {
        const { action, object } = inOrder(actionNames, argv.action, argv.object);
        const fits =
          action === 'nexus-md'
            ? object !== undefined && Object.hasOwn(centralActions, object)
            : actionNames.includes(action) && (object !== undefined) === (action === 'op');
        if (!fits) return usage;
        return object !== 'set' || argv.file !== undefined || 'nexus-md set needs --file FILE';
      }),
  async handler(argv) {
    const { action, object = '' } = inOrder(actionNames, argv.action, argv.object);
    await actions[action]?.(argv, findBroker(argv['data-dir'], argv), object);
  },
};

async function edit(argv: Flags, access: BrokerAccess): Promise<void> {
  const { nexus_md, version } = await fetchCentral(access);
  const written = await editText({
    name: 'nexus-md',
    text: `${String(nexus_md).trimEnd()}\n`,
    editor: argv.editor,
    quiet: argv.json,
    parse: (text) => text.trimEnd(),
    save: (text) => writeCentral(access, text, Number(version)),
  });
  tell(argv, written ?? { old_version: version, new_version: version });
}

async function show(argv: Flags, access: BrokerAccess): Promise<void> {
  const answer = await fetchCentral(access, argv.at);
  console.log(argv.json ? JSON.stringify(answer) : String(answer['nexus_md']).trimEnd());
}

async function set(argv: Flags, access: BrokerAccess): Promise<void> {
  const text = (await readText(argv.file ?? '-')).trimEnd();
  const { version } = await fetchCentral(access);
  tell(argv, await writeCentral(access, text, argv['if-version'] ?? Number(version)));
}

async function shutdown(argv: Flags, access: BrokerAccess): Promise<void> {
  const answer = await callBroker(access, 'POST', '/api/admin/shutdown');
  console.log(argv.json ? JSON.stringify(answer) : `the broker stops (${answer['op_id']})`);
}

async function op(argv: Flags, access: BrokerAccess, id: string): Promise<void> {
  const answer = await callBroker(access, 'GET', `/api/admin/op/${encodeURIComponent(id)}`);
  const words = `${answer['action']}: ${answer['status']} ${answer['error'] ?? ''}`;
  console.log(argv.json ? JSON.stringify(answer) : words.trimEnd());
}

function tell({ json }: Flags, written: Written): void {
  const { old_version, new_version } = written;
  const words = old_version === new_version ? 'unchanged' : 'saved';
  console.log(json ? JSON.stringify(written) : `nexus-md: ${words}, version ${new_version}`);
}
