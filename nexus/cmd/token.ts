import type { CommandModule, InferredOptionTypes, Options } from 'yargs';
import { findBroker } from '../operator/broker-access.ts';
import { OperatorError } from '../operator/errors.ts';
import { noBroker } from '../operator/room.ts';
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
    const { url, token: operatorToken } = findBroker(argv['data-dir'], argv.url);
    const response = await fetch(`${url}/api/admin/tokens`, {
      method: 'POST',
      headers: { authorization: `Bearer ${operatorToken}`, 'content-type': 'application/json' },
      body: JSON.stringify({ name: argv.name, grants: argv.for, admin: argv.admin }),
    }).catch((cause) => {
      throw noBroker(new Error(`cannot reach ${url}`, { cause }));
    });
    const answer = (await response.json()) as { token?: string; error?: string };
    if (!answer.token) {
      throw new OperatorError('operator.refused', answer.error ?? `HTTP ${response.status}`);
    }
    console.log(argv.json ? JSON.stringify(answer) : answer.token);
  },
};
