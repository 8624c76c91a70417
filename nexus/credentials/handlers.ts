import { CredentialFetch } from '#shared/frames/credentials';
import { FrameRefused } from '#shared/frames/errors';
import { type Handler, reads } from '../broker/handler.ts';
import { speakerOf } from '../broker/speaker.ts';
import type { CredentialSource } from './credential-source.ts';

/** The credential frame. */
export function credentialHandlers(source: CredentialSource): Handler[] {
  return [
    reads(CredentialFetch, async ({ kind, name, aspect: claimed }, connection) => {
      const aspect = speakerOf(connection, claimed);
      const credential = await source.fetch({
        aspect,
        kind,
        name: name || undefined,
        connection: connection.id,
        identity: connection.identity.name,
      });
      if (!credential) {
        const which = name ? `${kind} credential "${name}"` : `default ${kind} credential`;
        throw new FrameRefused('not_found', `no ${which} is stored for ${aspect}`);
      }
      return { name: credential.name, kind: credential.kind, bundle: { ...credential.bundle } };
    }),
  ];
}
