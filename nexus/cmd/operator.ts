import type { CommandModule, InferredOptionTypes, Options } from 'yargs';
import { accessLevels } from '#shared/frames/define';
import { clientFlags } from './flags.ts';
import { actions } from './operator-actions.ts';

const flags = {
  ...clientFlags,
  role: {
    choices: accessLevels,
    describe: 'add, role: look (viewer), talk too (operator), administrate too (admin)',
  },
} as const satisfies Record<string, Options>;

type Flags = InferredOptionTypes<typeof flags> & { action: string; name?: string | undefined };

/** Actions that are about somebody, or something, that must be named. */
const needName = new Set(['add', 'role', 'remove', 'sign-out']);
const needRole = new Set(['add', 'role']);

/** `nexus operator …`: the people who run this Nexus, from the machine that it runs on. */
export const command: CommandModule<object, Flags> = {
  command: 'operator <action> [name]',
  describe: 'let people in at a browser, say what they may do, and shut them out',
  builder: (yargs) =>
    yargs
      .options(flags)
      .positional('action', { choices: Object.keys(actions), demandOption: true, type: 'string' })
      .positional('name', { type: 'string', describe: 'the operator; sign-out: the session' })
      .check((argv) => problemOf(argv as Flags) ?? true),
  handler: (argv) => actions[argv.action]?.(argv),
};

function problemOf({ action, name, role: asked }: Flags): string | undefined {
  if (needName.has(action) && !name) {
    return action === 'sign-out' ? 'sign-out needs the id of a session' : `${action} needs a NAME`;
  }
  if (needRole.has(action) && !asked) return `${action} needs --role ${accessLevels.join('|')}`;
  return undefined;
}
