import type { CommandModule, InferredOptionTypes, Options } from 'yargs';
import { findBroker } from '../operator/broker-access.ts';
import { callBroker } from '../operator/rest-client.ts';
import { clientFlags } from './flags.ts';

const rightsFlags = {
  for: {
    type: 'array',
    string: true,
    default: [] as string[],
    describe: 'other aspects that it may register, for the Outpost of their host',
  },
  admin: { type: 'boolean', default: false, describe: 'may act for any aspect' },
} as const satisfies Record<string, Options>;

type Flags = InferredOptionTypes<typeof clientFlags & typeof rightsFlags> & { name: string };

/** `nexus token NAME`: a new token for an aspect that runs elsewhere. */
export const command: CommandModule<object, Flags> = {
  command: 'token <name>',
  describe: 'print a new token for an aspect or an Outpost; its old one is void',
  builder: (yargs) =>
    yargs
      .options({ ...clientFlags, ...rightsFlags })
      .positional('name', { type: 'string', demandOption: true }),
  async handler(argv) {
    const access = findBroker(argv['data-dir'], argv);
    const asked = { name: argv.name, grants: argv.for, admin: argv.admin };
    const answer = await callBroker(access, 'POST', '/api/admin/tokens', asked);
    console.log(argv.json ? JSON.stringify(answer) : answer['token']);
  },
};
