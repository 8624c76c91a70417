import { join } from 'node:path';

/** Where `cert init` puts a certificate, and where a broker looks for one. */
export const certificateFiles = (folder: string): { cert: string; key: string } => ({
  cert: join(folder, 'server.crt'),
  key: join(folder, 'server.key'),
});
