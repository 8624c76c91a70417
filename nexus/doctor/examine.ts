import { X509Certificate } from 'node:crypto';
import {
  accessSync,
  constants,
  existsSync,
  readdirSync,
  readFileSync,
  statfsSync,
  statSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { messageOf, systemCodeOf } from '#shared/errors';
import { AuditJournal } from '../audit/audit-journal.ts';
import { databaseFile } from '../storage/backup.ts';
import { type Migration, openToRead } from '../storage/database.ts';
import { endpointFile, isRunning, readEndpoint } from '../storage/endpoint-file.ts';
import { type Finding, ok, problem, warning } from './finding.ts';

export interface Patient {
  readonly dataDir: string;
  readonly listen: { readonly host: string; readonly port: number };
  /** Path of a PEM certificate, if one is used. */
  readonly certificate?: string | undefined;
  readonly migrations: readonly Migration[];
  readonly now: number;
}

/** Free space below which commits are about to fail. */
const scarceBytes = 200 * 1024 * 1024;
const dayMs = 86_400_000;
/** No clock of a machine that runs this can be earlier. */
const earliestNow = Date.UTC(2026, 0, 1);

/** Looks at everything that can keep an instance from working; changes nothing. */
export async function examine(patient: Patient): Promise<Finding[]> {
  const findings = [node(), clock(patient), ...certificate(patient)];
  if (!existsSync(patient.dataDir)) {
    findings.push(
      ok('data directory', `${patient.dataDir} is not there yet; the first start makes it`),
    );
  } else {
    findings.push(permissions(patient), disk(patient), ...leftovers(patient), ...store(patient));
  }
  findings.push(await address(patient));
  return findings;
}

function node(): Finding {
  return ok('Node.js', process.version);
}

function clock({ now }: Patient): Finding {
  const found = new Date(now).toISOString();
  if (now >= earliestNow) return ok('clock', found);
  return problem('clock', found, 'set this machine’s time; tokens and records depend on it');
}

function certificate({ certificate: path, now }: Patient): Finding[] {
  if (!path) return [];
  const what = 'certificate';
  try {
    const { validTo, subject } = new X509Certificate(readFileSync(path));
    const days = Math.floor((Date.parse(validTo) - now) / dayMs);
    const found = `${subject.replaceAll('\n', ', ')}, until ${validTo}`;
    if (days < 0) return [problem(what, found, 'it has expired: make or get a new one')];
    if (days < 30) return [warning(what, found, `renew it: ${days} days are left`)];
    return [ok(what, found)];
  } catch (error) {
    return [problem(what, `${path}: ${messageOf(error)}`, 'check --tls-cert')];
  }
}

/** Nobody else may read what is in there: keys, tokens, everything that was said. */
function permissions({ dataDir }: Patient): Finding {
  const what = 'permissions';
  try {
    accessSync(dataDir, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch {
    return problem(
      what,
      `${dataDir} cannot be written`,
      `chown it to ${process.env['USER'] ?? 'yourself'}`,
    );
  }
  if (process.platform === 'win32') return ok(what, 'left to Windows');
  const open = ['.', ...readdirSync(dataDir)].filter(
    (name) => (statSync(join(dataDir, name)).mode & 0o077) !== 0,
  );
  if (open.length === 0) return ok(what, 'for this user only');
  return problem(what, `others can read: ${open.join(', ')}`, `chmod -R go= ${dataDir}`);
}

function disk({ dataDir }: Patient): Finding {
  const { bavail, bsize } = statfsSync(dataDir);
  const free = bavail * bsize;
  const found = `${(free / 1e9).toFixed(1)} GB free`;
  if (free > scarceBytes) return ok('disk', found);
  return problem('disk', found, 'make room: nothing is acknowledged while the disk is full');
}

/** What a crash can leave behind. */
function leftovers({ dataDir }: Patient): Finding[] {
  const findings: Finding[] = [];
  const stale = readdirSync(dataDir).filter((name) => name.startsWith('restoring-'));
  if (stale.length > 0) {
    findings.push(warning('leftovers', stale.join(', '), 'a restore was cut off; remove them'));
  }
  const endpoint = readEndpoint(join(dataDir, endpointFile));
  if (endpoint && !isRunning(endpoint)) {
    const mend = 'nothing to do: the next start replaces it';
    findings.push(warning('broker', `process ${endpoint.pid} ended without a goodbye`, mend));
  } else if (endpoint) {
    findings.push(ok('broker', `runs on ${endpoint.url}, process ${endpoint.pid}`));
  }
  return findings;
}

function store({ dataDir, migrations, now }: Patient): Finding[] {
  const what = 'store';
  const path = join(dataDir, databaseFile);
  if (!existsSync(path)) return [ok(what, 'no database yet; the first start makes it')];
  try {
    const db = openToRead(path, migrations);
    try {
      const verdict = db.pragma('quick_check', { simple: true });
      if (verdict !== 'ok') {
        return [problem(what, String(verdict), 'restore the last backup: nexus restore FOLDER')];
      }
      const { head, signedUpTo } = new AuditJournal(db).verify();
      const newest = db.prepare('SELECT max(at) FROM journal').pluck().get() as number | null;
      const sound = ok(what, `${head.position} events hold, signed up to ${signedUpTo}`);
      if (newest === null || newest <= now + dayMs) return [sound];
      const future = `the newest event is of ${new Date(newest).toISOString()}`;
      return [sound, warning('clock', future, 'this machine’s clock went back: check it')];
    } finally {
      db.close();
    }
  } catch (error) {
    return [problem(what, messageOf(error), 'if nothing else helps: nexus restore FOLDER')];
  }
}

/** Whether a broker could listen, or one of this instance does. */
async function address({ dataDir, listen }: Patient): Promise<Finding> {
  const what = 'address';
  const found = `${listen.host}:${listen.port}`;
  const failure = await tryToListen(listen);
  if (failure === undefined) return ok(what, `${found} is free`);
  const endpoint = readEndpoint(join(dataDir, endpointFile));
  if (endpoint && URL.parse(endpoint.url)?.port === String(listen.port) && isRunning(endpoint)) {
    return ok(what, `${found} is this instance’s broker`);
  }
  const other =
    systemCodeOf(failure) === 'EADDRINUSE' ? 'something else listens there' : messageOf(failure);
  return problem(what, `${found}: ${other}`, 'stop it, or choose another --addr');
}

function tryToListen({ host, port }: Patient['listen']): Promise<unknown> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', resolve);
    server.listen(port, host.replace(/^\[|\]$/g, ''), () => server.close(() => resolve(undefined)));
  });
}
