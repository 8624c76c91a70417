import { hash, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { messageOf } from '../errors.ts';
import { LinkError } from './errors.ts';

const dialTimeoutMs = 10_000;

/** The pin of a certificate: `sha256:` and the hash of its DER form in 64 hex digits. */
export const pinOf = (certificate: X509Certificate): string =>
  `sha256:${hash('sha256', certificate.raw, 'hex')}`;

/** A pin as people write it, with colons or in capitals; undefined when it is none. */
export function parsePin(text: string): string | undefined {
  const digits = text
    .replace(/^sha256[:/]/i, '')
    .replaceAll(':', '')
    .toLowerCase();
  return /^[0-9a-f]{64}$/.test(digits) ? `sha256:${digits}` : undefined;
}

/**
 * How to speak TLS with a server whose certificate has this pin, whatever the system trusts.
 *
 * The certificate is fetched on a connection of its own that carries nothing else, and compared;
 * from then on it is the only one that is trusted, so no token ever goes to another server.
 * Rejects with `LinkError`.
 */
export async function pinnedTls(base: string, pin: string): Promise<ConnectionOptions> {
  const wanted = parsePin(pin);
  if (!wanted) throw wrong(`"${pin}" is no pin: write sha256: and 64 hex digits`);
  const url = new URL(base.replace(/^ws/, 'http'));
  if (url.protocol !== 'https:') throw wrong(`${base} is plain HTTP: a pin needs https`);
  const certificate = await certificateOf(url);
  if (pinOf(certificate) !== wanted) {
    throw wrong(
      `${url.host} shows another certificate (${pinOf(certificate)}) than the pinned one`,
    );
  }
  return {
    ca: certificate.toString(),
    allowPartialTrustChain: true,
    checkServerIdentity: (_, peer) =>
      `sha256:${hash('sha256', peer.raw, 'hex')}` === wanted
        ? undefined
        : new Error('the certificate changed meanwhile'),
  };
}

async function certificateOf(url: URL): Promise<X509Certificate> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const socket: TLSSocket = connect({
    host,
    port: Number(url.port) || 443,
    rejectUnauthorized: false,
    ...(/^[\d.]+$|:/.test(host) ? {} : { servername: host }),
  });
  try {
    await once(socket, 'secureConnect', { signal: AbortSignal.timeout(dialTimeoutMs) });
    const certificate = socket.getPeerX509Certificate();
    if (!certificate) throw new Error('it shows no certificate');
    return new X509Certificate(certificate.raw);
  } catch (cause) {
    throw new LinkError('link.unreachable', `cannot reach ${url.host}: ${messageOf(cause)}`, {
      cause,
    });
  } finally {
    socket.destroy();
  }
}

const wrong = (message: string) => new LinkError('link.wrong_certificate', message);
