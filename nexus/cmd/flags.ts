import type { Options } from 'yargs';

/** Flags that several commands share. Environment variables give their defaults. */
export const dataDirFlag = {
  'data-dir': {
    type: 'string',
    default: process.env['NEXUS_DATA_DIR'] || './data',
    defaultDescription: 'NEXUS_DATA_DIR, or ./data',
    describe: 'where the instance keeps its database, token and logs',
  },
} as const satisfies Record<string, Options>;

export const jsonFlag = {
  json: { type: 'boolean', default: false, describe: 'print one JSON object a line' },
} as const satisfies Record<string, Options>;

/** How to reach a running broker. */
export const clientFlags = {
  ...dataDirFlag,
  ...jsonFlag,
  url: {
    type: 'string',
    describe: 'address of the broker; found through --data-dir unless given',
  },
  pin: {
    type: 'string',
    default: process.env['NEXUS_PIN'],
    defaultDescription: 'NEXUS_PIN',
    describe: 'the certificate to trust there: sha256:…, as nexus cert show prints it',
  },
} as const satisfies Record<string, Options>;

/** How a broker runs. */
export const serverFlags = {
  ...dataDirFlag,
  ...jsonFlag,
  addr: {
    type: 'string',
    default: '127.0.0.1:7888',
    describe: 'listen address, host:port; port 0 takes a free one',
  },
  'tls-cert': {
    type: 'string',
    default: process.env['NEXUS_TLS_CERT'],
    defaultDescription: 'NEXUS_TLS_CERT',
    describe: 'PEM certificate; needed to listen beyond this machine',
  },
  'tls-key': {
    type: 'string',
    default: process.env['NEXUS_TLS_KEY'],
    defaultDescription: 'NEXUS_TLS_KEY',
    describe: 'PEM key of the certificate',
  },
  transport: {
    type: 'string',
    default: process.env['NEXUS_TRANSPORT'] || 'ws',
    defaultDescription: 'NEXUS_TRANSPORT, or ws',
    describe: 'what serves sockets: ws, uws (uWebSockets.js), or auto, uws if it is installed',
  },
  'max-connections': { type: 'number', default: 256, describe: 'sockets in total' },
  'max-connections-per-address': {
    type: 'number',
    default: 32,
    describe: 'sockets from one address',
  },
  'activity-days': {
    type: 'number',
    default: 14,
    describe: 'days for which activity files are kept; 0 writes none',
  },
  'log-level': {
    choices: ['debug', 'info', 'warn', 'error'],
    default: 'info',
    describe: 'what goes to logs/broker.log in the data directory',
  },
} as const satisfies Record<string, Options>;
