import type { Context } from 'hono';
import { Type } from 'typebox';
import type { SigningPair } from '#shared/crypto/ed25519-keys';
import { parseKey } from '#shared/crypto/keyfile-payload';
import { FrameRefused } from '#shared/frames/errors';
import { aspectView, type MintView } from '../aspects/aspect-view.ts';
import type { AspectRegistry } from '../aspects/registry.ts';
import { actorOf, isAdmin } from '../credentials/identity.ts';
import { bodyOf, type HttpEnv, type Resource } from './app.ts';

export interface AspectAdminDeps {
  readonly registry: AspectRegistry;
  readonly serverKeys: SigningPair;
  readonly nexusId: string;
}

const shown = Type.Optional(Type.String({ maxLength: 200 }));

/** Who has an identity here, and who may keep it. Admins only. */
export function aspectAdminRoutes({ registry, serverKeys, nexusId }: AspectAdminDeps): Resource {
  const mint = bodyOf(
    Type.Object({
      name: Type.String(),
      aspect_pubkey_b64: Type.String({ maxLength: 64 }),
      provider: shown,
      model: shown,
      /** The reference's clients may send it; it has no effect there either. */
      force: Type.Optional(Type.Boolean()),
    }),
  );
  const named = bodyOf(Type.Object({ name: Type.String() }));

  return (app) => {
    app.get('/api/admin/aspects', (c) => {
      adminOf(c);
      return c.json({ aspects: registry.list().map(aspectView) });
    });

    app.post('/api/admin/aspects/mint', async (c) => {
      const by = adminOf(c);
      const { name, aspect_pubkey_b64, provider, model } = await mint(c);
      const publicKey = parseKey(aspect_pubkey_b64);
      if (!publicKey) {
        throw new FrameRefused('bad_request', 'aspect_pubkey_b64 is not 32 bytes of base64');
      }
      const { record, existed } = await registry.mint({ name, publicKey, provider, model }, by);
      const answer: MintView = {
        name: record.name,
        keyfile_version: record.version,
        nexus_id: nexusId,
        server_pubkey_b64: Buffer.from(serverKeys.publicKey).toString('base64'),
        previously_existed: existed,
      };
      return c.json(answer);
    });

    app.post('/api/admin/aspects/retire', async (c) => {
      const by = adminOf(c);
      return c.json(aspectView(await registry.retire((await named(c)).name, by)));
    });

    app.post('/api/admin/aspects/resurrect', async (c) => {
      const by = adminOf(c);
      return c.json(aspectView(await registry.resurrect((await named(c)).name, by)));
    });
  };
}

/** The caller's name. Throws `FrameRefused` for anyone who is no admin. */
function adminOf(c: Context<HttpEnv>): string {
  const { identity } = c.var;
  if (!isAdmin(identity)) throw new FrameRefused('forbidden', 'admin_required');
  return actorOf(identity);
}
