import { X509Certificate } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import selfsigned from 'selfsigned';
import { makeFolder } from '#shared/sys/folders';
import { pinOf } from '#shared/transport/pinned-tls';
import { certificateFiles } from './certificate-files.ts';
import { TlsError } from './errors.ts';

const validDays = 365;
const dayMs = 86_400_000;
/** Clocks of other machines may be a little behind. */
const backdatedMs = 60_000;

/** This machine under the names that it always has. */
const loopback = ['localhost', '127.0.0.1', '::1'];

const dnsName =
  /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i;

export interface MadeCertificate {
  readonly cert: string;
  readonly key: string;
  /** `sha256:` and 64 hex digits: what clients pin. */
  readonly pin: string;
  readonly validTo: string;
}

/**
 * Makes a key (ECDSA P-256, mode 0600) and a certificate for these hosts and for loopback, signed
 * by itself, for a year. Clients trust it by its pin. Throws `TlsError` when there is one already.
 */
export async function makeSelfSigned(
  folder: string,
  hosts: readonly string[],
  now: number,
): Promise<MadeCertificate> {
  const bad = hosts.find((host) => !isIP(host) && !dnsName.test(host));
  if (bad !== undefined) throw new TlsError('tls.bad_host', `"${bad}" is no host name or address`);
  const { cert, key } = certificateFiles(folder);
  const present = [cert, key].find((path) => existsSync(path));
  if (present) {
    throw new TlsError('tls.exists', `${present} exists; move it away to make another`);
  }
  const names = [...new Set([...hosts, ...loopback])];
  const made = await selfsigned.generate([{ name: 'commonName', value: hosts[0] ?? 'localhost' }], {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    notBeforeDate: new Date(now - backdatedMs),
    notAfterDate: new Date(now + validDays * dayMs),
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      { name: 'subjectAltName', altNames: names.map(altName) },
    ],
  });
  makeFolder(folder);
  writeFileSync(key, made.private, { mode: 0o600, flag: 'wx' });
  writeFileSync(cert, made.cert, { mode: 0o600, flag: 'wx' });
  const certificate = new X509Certificate(made.cert);
  return { cert, key, pin: pinOf(certificate), validTo: certificate.validTo };
}

const altName = (host: string) =>
  isIP(host) ? ({ type: 7, ip: host } as const) : ({ type: 2, value: host } as const);
