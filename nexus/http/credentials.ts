import { type Static, Type } from 'typebox';
import { withoutNulls } from '#shared/frames/codec';
import { CredentialKind } from '#shared/frames/credentials';
import { FrameRefused } from '#shared/frames/errors';
import { type Bundle, credentialKinds, credentialModes, isCredentialKind } from '../vault/kinds.ts';
import type { CredentialChange, Vault } from '../vault/vault.ts';
import type { StoredCredential, VaultStore } from '../vault/vault-store.ts';
import { assertAdmin } from './admin.ts';
import { bodyOf, type Resource } from './app.ts';

const defaultAuditRows = 100;
const maxAuditRows = 1_000;

const text = Type.Optional(Type.String());

/** Both shapes of the reference: a kind with its bundle, or the members of a provider alone. */
const Upsert = Type.Object({
  kind: Type.Optional(CredentialKind),
  bundle: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  allowed_aspects: Type.Optional(Type.Array(Type.String())),
  mode: Type.Optional(Type.Enum([...credentialModes])),
  description: text,
  api_shape: text,
  base_url: text,
  key: text,
  default_model: text,
});

/** The vault, for operators and admins (auth spec §9.2). No answer has a secret in it. */
export function credentialRoutes(vault: Vault, store: VaultStore): Resource {
  const upsert = bodyOf(Upsert);
  const one = '/api/admin/credentials/:name';
  return (app) => {
    app.get('/api/admin/credentials', (c) => {
      assertAdmin(c.var.identity);
      const kind = c.req.query('kind') || undefined;
      if (kind !== undefined && !isCredentialKind(kind)) {
        throw new FrameRefused('bad_request', `kind must be one of: ${credentialKinds.join(', ')}`);
      }
      return c.json({ credentials: vault.list(kind).map((each) => metadata(each, vault)) });
    });

    app.put(one, async (c) => {
      assertAdmin(c.var.identity);
      const change = changeOf(c.req.param('name'), await upsert(c));
      return c.json(metadata(await vault.set(change, c.var.identity.name), vault));
    });

    app.get(one, (c) => {
      assertAdmin(c.var.identity);
      return c.json(metadata(vault.get(c.req.param('name')), vault));
    });

    app.delete(one, async (c) => {
      assertAdmin(c.var.identity);
      await vault.delete(c.req.param('name'), c.var.identity.name);
      return c.body(null, 204);
    });

    app.get(`${one}/audit`, (c) => {
      assertAdmin(c.var.identity);
      const asked = Number(c.req.query('limit'));
      const fits = Number.isInteger(asked) && asked >= 1 && asked <= maxAuditRows;
      const rows = store.audit(c.req.param('name'), fits ? asked : defaultAuditRows);
      const audit = rows.map(({ name, at, ...row }) => ({ ...row, credential_name: name, ts: at }));
      return c.json({ audit });
    });

    app.post('/api/admin/vault/rotate-key', async (c) => {
      assertAdmin(c.var.identity);
      const { keyId, credentials, oldKeyRemoved } = await vault.rotateKey(c.var.identity.name);
      return c.json({ key_id: keyId, credentials, old_key_removed: oldKeyRemoved });
    });
  };
}

function changeOf(name: string, body: Static<typeof Upsert>): CredentialChange {
  const { kind, bundle, allowed_aspects: allowedAspects, mode, description, ...legacy } = body;
  const more = { name, allowedAspects, mode, description };
  if (kind === undefined && bundle === undefined && legacy.key !== undefined) {
    const { api_shape, base_url, key, default_model } = legacy;
    const provider = { api_shape, base_url, key, ...(default_model && { default_model }) };
    return { ...more, kind: 'provider', bundle: provider };
  }
  return { ...more, kind, bundle: bundle && (withoutNulls(bundle) as Bundle) };
}

/** What may be known of a credential (auth spec §10.1); `key_id` and `locked` are ours. */
function metadata(credential: StoredCredential, vault: Vault): object {
  const { name, description, kind, allowedAspects, mode, createdAt, updatedAt } = credential;
  const { lastUsedAt, sealed } = credential;
  return {
    name,
    description,
    kind,
    allowed_aspects: allowedAspects,
    mode,
    created_at: createdAt,
    updated_at: updatedAt,
    ...(lastUsedAt && { last_used_at: lastUsedAt }),
    ...(sealed.keyId && { key_id: sealed.keyId }),
    ...(vault.canOpen(credential) ? {} : { locked: true }),
  };
}
