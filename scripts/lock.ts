// Tidies package-lock.json after `npm install`: no download addresses, and what old npm must know.
import { readFileSync, writeFileSync } from 'node:fs';

const path = 'package-lock.json';
const lock = JSON.parse(readFileSync(path, 'utf8')) as {
  packages: Record<string, Record<string, unknown>>;
};
for (const entry of Object.values(lock.packages)) delete entry['resolved'];
// It brings its binaries. npm before 11 reads only this file, and without the word would start
// node-gyp, which fails where there is no Python.
Object.assign(lock.packages['node_modules/better-sqlite3'] ?? {}, { gypfile: false });
writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`);
