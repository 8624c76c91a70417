import { resolve } from 'node:path';
import type { Argv, CommandModule, InferredOptionTypes, Options } from 'yargs';
import { nameProblem } from '#shared/config/names';
import { OperatorError } from '../operator/errors.ts';
import { type MintedKeyfile, type MintWish, mintKeyfile } from '../operator/mint-keyfile.ts';
import { type AspectPlace, openAspects } from './aspect-access.ts';
import { aspectProgram } from './aspect-program.ts';

const flags = {
  'nexus-url': {
    type: 'string',
    describe: 'where the aspect will find its broker; where it is found now, unless given',
  },
  provider: { type: 'string', describe: 'recorded at the first mint' },
  model: { type: 'string', describe: 'recorded at the first mint' },
} as const satisfies Record<string, Options>;

type Place = AspectPlace & { json: boolean };
type Flags = Place & InferredOptionTypes<typeof flags> & { name: string };

const withFlags = (yargs: Argv<Place>): Argv<Flags> =>
  yargs.options(flags).positional('name', { type: 'string', demandOption: true });

/** `nexus aspect mint NAME`: a keyfile wherever it is wanted. */
export const mint: CommandModule<Place, Flags & { out: string }> = {
  command: 'mint <name>',
  describe: 'write a keyfile; those before it are void',
  builder: (yargs) =>
    withFlags(yargs).option('out', {
      type: 'string',
      demandOption: true,
      describe: 'file that the keyfile is written to',
    }),
  async handler(argv) {
    const minted = await write(argv, argv.out);
    console.log(argv.json ? JSON.stringify(minted) : summary(minted));
  },
};

/** `nexus aspect enroll NAME`: a keyfile in the data directory, and what to do with it. */
export const enroll: CommandModule<Place, Flags> = {
  command: 'enroll <name>',
  describe: 'write a keyfile into the data directory, and say how to start the aspect with it',
  builder: withFlags,
  async handler(argv) {
    // It becomes part of a path.
    const problem = nameProblem(argv.name);
    if (problem) throw new OperatorError('operator.refused', problem);
    const out = resolve(argv['data-dir'], 'keyfiles', `${argv.name}.keyfile.json`);
    const minted = await write(argv, out);
    const start = [process.execPath, ...process.execArgv, aspectProgram(), '--home', 'HOME'];
    const command = [...start, '--keyfile', out].join(' ');
    if (argv.json) console.log(JSON.stringify({ ...minted, start: command }));
    else console.log(`${summary(minted)}\nStart it, with its home folder for HOME:\n  ${command}`);
  },
};

async function write(argv: Flags, out: string): Promise<MintedKeyfile> {
  const { name, provider, model, 'nexus-url': nexusUrl } = argv;
  const admin = await openAspects(argv);
  const wish: MintWish = { name, out, nexusUrl, provider, model };
  return mintKeyfile(admin, wish).finally(() => admin.close());
}

function summary({ name, keyfile, keyfile_version, nexus_url }: MintedKeyfile): string {
  const before = keyfile_version > 1 ? '; those before it are void' : '';
  return `${keyfile} is keyfile version ${keyfile_version} of ${name}, for ${nexus_url}${before}`;
}
