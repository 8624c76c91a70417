import type { CommandModule, InferredOptionTypes, Options } from 'yargs';
import { findBroker } from '../operator/broker-access.ts';
import { type CredentialVerb, credentialActions } from '../operator/credential-actions.ts';
import { credentialKinds, credentialModes } from '../vault/kinds.ts';
import { clientFlags } from './flags.ts';

const text = { type: 'string', requiresArg: true } as const;
const defaultOf = (what: string) =>
  ({ ...text, describe: `aspect-default: for ${what}; "" takes it away` }) as const;

const flags = {
  ...clientFlags,
  kind: { choices: credentialKinds, describe: 'set, list: what it opens' },
  file: { ...text, describe: 'set: where its bundle is, as JSON; - for standard input' },
  bundle: { type: 'string', hidden: true },
  mode: { choices: credentialModes, describe: 'set: used for aspects, handed to them, or both' },
  allow: { ...text, alias: 'allowed-aspects', describe: 'set: who may have it, as a,b; * for all' },
  description: { ...text, describe: 'set: a line for people' },
  limit: { type: 'number', default: 100, describe: 'audit: the newest so many, at most 1000' },
  anthropic: defaultOf('the Anthropic API'),
  openai: defaultOf('the OpenAI API'),
  jira: defaultOf('Jira'),
  imap: defaultOf('mail'),
} as const satisfies Record<string, Options>;

const verbs = Object.keys(credentialActions) as CredentialVerb[];
const nameless: readonly CredentialVerb[] = ['list', 'rotate-key'];

type Flags = InferredOptionTypes<typeof flags> & {
  action: CredentialVerb;
  name: string | undefined;
  more: string[] | undefined;
};

/** `nexus credential …`: what opens other services, kept by the running broker for aspects. */
export const command: CommandModule<object, Flags> = {
  command: 'credential <action> [name] [more..]',
  describe: 'store secrets for aspects, and say who may have them',
  builder: (yargs) =>
    yargs
      .options(flags)
      .positional('action', { choices: verbs, demandOption: true })
      .positional('name', { type: 'string' })
      .positional('more', { type: 'string', array: true, hidden: true })
      .check(wordsProblem),
  async handler({ action, name = '', ...argv }) {
    const terminal = { input: process.stdin, output: process.stderr };
    const broker = findBroker(argv['data-dir'], argv);
    const outcome = await credentialActions[action](broker, { ...argv, name, terminal });
    if (!argv.json) console.log(outcome.text);
    else for (const each of [outcome.json].flat()) console.log(JSON.stringify(each));
  },
};

/** What is wrong with the words; none of them is repeated, for it may be a secret. */
function wordsProblem({ action, name, more, bundle }: Partial<Flags>): string | true {
  const isNameless = action !== undefined && nameless.includes(action);
  const way = 'a bundle is read from standard input or --file: all users can see a command line';
  if (bundle !== undefined) return `--bundle is not taken; ${way}`;
  if (more?.length || (isNameless && name))
    return `too many words for credential ${action}; ${way}`;
  return isNameless || Boolean(name) || `credential ${action} needs a name`;
}
