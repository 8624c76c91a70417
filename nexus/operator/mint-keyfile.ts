import { newSigningPair } from '#shared/crypto/ed25519-keys';
import { assertWritable, writeKeyfile } from '#shared/crypto/keyfile';
import { makeKeyfile } from '#shared/crypto/keyfile-payload';
import { connectUrl } from '#shared/transport/ws-dial';
import type { AspectAdmin } from '../aspects/aspect-admin.ts';
import type { MintView } from '../aspects/aspect-view.ts';
import { OperatorError } from './errors.ts';

export interface MintWish {
  readonly name: string;
  /** Where the keyfile goes. */
  readonly out: string;
  /** Where the aspect will find its broker; where we found it, unless given. */
  readonly nexusUrl?: string | undefined;
  readonly provider?: string | undefined;
  readonly model?: string | undefined;
}

export interface MintedKeyfile extends Omit<MintView, 'server_pubkey_b64'> {
  readonly keyfile: string;
  readonly nexus_url: string;
  /** Of the sealed bytes. */
  readonly fingerprint: string;
}

/**
 * Makes a key, has its public half recorded, and writes the keyfile: the private half leaves this
 * process nowhere else. Rejects with `OperatorError`, `KeyfileError` or what the broker refuses.
 */
export async function mintKeyfile(admin: AspectAdmin, wish: MintWish): Promise<MintedKeyfile> {
  const { name, out, provider, model } = wish;
  const nexusUrl = urlFor(wish.nexusUrl, admin.brokerUrl);
  // Before the keyfile that is in use becomes void.
  assertWritable(out);
  const { seed, publicKey } = newSigningPair();
  const minted = await admin.mint({ name, publicKey, provider, model });
  const { server_pubkey_b64, ...rest } = minted;
  const { keyfile, fingerprint } = makeKeyfile({
    name: minted.name,
    seed,
    version: minted.keyfile_version,
    nexusId: minted.nexus_id,
    nexusUrl,
    serverPublicKey: Buffer.from(server_pubkey_b64, 'base64'),
    now: Date.now(),
  });
  writeKeyfile(out, keyfile);
  return { ...rest, keyfile: out, nexus_url: nexusUrl, fingerprint };
}

/** Addresses that mean "every one of mine" lead nobody here. */
const anywhere: ReadonlySet<string> = new Set(['0.0.0.0', '[::]']);

function urlFor(given: string | undefined, brokerUrl: string | undefined): string {
  const url = URL.parse(given ?? brokerUrl ?? '');
  if (url && /^(ws|http)s?:$/.test(url.protocol) && /^\/(connect)?$/.test(url.pathname)) {
    if (given !== undefined || !anywhere.has(url.hostname)) return connectUrl(url.origin);
  }
  const message =
    given === undefined
      ? 'say where the aspect will find its broker: --nexus-url wss://hub.example:7888'
      : `--nexus-url ${given}: write an address like wss://hub.example:7888`;
  throw new OperatorError('operator.no_broker', message);
}
