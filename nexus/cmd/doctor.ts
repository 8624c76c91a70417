import { resolve } from 'node:path';
import type { CommandModule, InferredOptionTypes } from 'yargs';
import { systemClock } from '#shared/sys/clock';
import { migrations } from '../app/broker.ts';
import { parseListenAddress } from '../app/listen-address.ts';
import { examine } from '../doctor/examine.ts';
import type { Finding } from '../doctor/finding.ts';
import { serverFlags } from './flags.ts';

const { 'data-dir': dataDir, json, addr, 'tls-cert': tlsCert } = serverFlags;
const flags = { 'data-dir': dataDir, json, addr, 'tls-cert': tlsCert } as const;

const marks = { ok: 'ok     ', warning: 'warning', problem: 'PROBLEM' } as const;

/** `nexus doctor`: what keeps this instance from working, and how to mend it. */
export const command: CommandModule<object, InferredOptionTypes<typeof flags>> = {
  command: 'doctor',
  describe: 'look for what keeps an instance from working, and say how to mend it',
  builder: flags,
  async handler(argv) {
    const findings = await examine({
      dataDir: resolve(argv['data-dir']),
      listen: parseListenAddress(argv.addr),
      certificate: argv['tls-cert'],
      migrations,
      now: systemClock.now(),
    });
    for (const finding of findings)
      console.log(argv.json ? JSON.stringify(finding) : line(finding));
    if (findings.some(({ state }) => state === 'problem')) process.exitCode = 1;
  },
};

const line = ({ what, state, found, mend }: Finding): string =>
  `${marks[state]}  ${what}: ${found}${mend ? `\n         → ${mend}` : ''}`;
