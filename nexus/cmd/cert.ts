import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { CommandModule, InferredOptionTypes, Options } from 'yargs';
import { systemClock } from '#shared/sys/clock';
import { pinOf } from '#shared/transport/pinned-tls';
import { certificateFiles } from '../tls/certificate-files.ts';
import { makeSelfSigned } from '../tls/self-signed.ts';
import { dataDirFlag, jsonFlag } from './flags.ts';

const flags = {
  ...dataDirFlag,
  ...jsonFlag,
  host: {
    type: 'array',
    string: true,
    default: [] as string[],
    describe: 'init: names and addresses that clients use, besides localhost',
  },
  out: { type: 'string', describe: 'the folder (tls in the data directory)' },
} as const satisfies Record<string, Options>;

type Flags = InferredOptionTypes<typeof flags> & { action: string };

/** `nexus cert init|show`: a certificate of one's own, trusted by its pin. */
export const command: CommandModule<object, Flags> = {
  command: 'cert <action>',
  describe: 'make a self-signed certificate, or show its pin',
  builder: (yargs) =>
    yargs
      .options(flags)
      .positional('action', { choices: ['init', 'show'], demandOption: true, type: 'string' }),
  async handler(argv) {
    const folder = resolve(argv.out ?? join(argv['data-dir'], 'tls'));
    const { cert, key, pin, validTo } =
      argv.action === 'init'
        ? await makeSelfSigned(folder, argv.host, systemClock.now())
        : present(folder);
    console.log(
      argv.json
        ? JSON.stringify({ cert, key, pin, valid_to: validTo })
        : `certificate  ${cert}\nkey          ${key}\nvalid until  ${validTo}\npin          ${pin}\nClients elsewhere trust it with --pin ${pin}, or NEXUS_PIN.`,
    );
  },
};

function present(folder: string) {
  const files = certificateFiles(folder);
  const certificate = new X509Certificate(readFileSync(files.cert));
  return { ...files, pin: pinOf(certificate), validTo: certificate.validTo };
}
