import type { Context } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { Log } from '#shared/sys/log';
import { KeyfileRefused, type ValidationErrorCode } from '../aspects/errors.ts';
import type { AspectBundle, PersonalitySource } from '../aspects/personality-source.ts';
import { type ValidationDeps, validateKeyfile } from '../aspects/validation.ts';
import type { SessionToken, SessionTokens } from '../credentials/session-token.ts';
import { wireTime } from '../storage/sql-time.ts';
import type { HttpEnv, Resource } from './app.ts';
import { callerAddress, type Rate, RateLimit } from './rate-limit.ts';

const maxBodyBytes = 16 * 1024;

/** Bytes that clients of the reference read of an answer. */
const readByOldClients = 64 * 1024;

export interface ValidateRates {
  /** Of one address, whatever comes of it. */
  readonly perAddress: Rate;
  /** Of one aspect, once its keyfile has proved good: nobody else can use this up. */
  readonly perAspect: Rate;
}

export const validateRates: ValidateRates = {
  perAddress: { times: 120, windowS: 60 },
  perAspect: { times: 30, windowS: 60 },
};

export interface ValidateDeps extends ValidationDeps {
  readonly sessions: SessionTokens;
  readonly personalities: PersonalitySource;
  readonly rates: ValidateRates;
  readonly log: Log;
}

const statuses: Readonly<Record<ValidationErrorCode, ContentfulStatusCode>> = {
  'keyfile.undecryptable': 401,
  'keyfile.malformed': 400,
  'keyfile.unknown_aspect': 404,
  'keyfile.retired': 403,
  'keyfile.revoked': 403,
  'keyfile.key_mismatch': 403,
};

/** How a keyfile becomes a session token (auth spec §5). Open to anyone: the keyfile is the proof. */
export function validateRoutes(deps: ValidateDeps): Resource {
  const addresses = new RateLimit(deps.rates.perAddress);
  const aspects = new RateLimit(deps.rates.perAspect);

  const answer = async (c: Context<HttpEnv>) => {
    c.header('Cache-Control', 'no-store');
    await addresses.take(callerAddress(c));
    const encrypted = onlyMember(await c.req.text());
    if (encrypted === undefined) return c.json({ error: 'request body malformed' }, 400);
    if (encrypted === '') return c.json({ error: 'encrypted_payload missing' }, 400);
    try {
      const aspect = validateKeyfile(encrypted, deps);
      await aspects.take(aspect.name);
      const session = await deps.sessions.forAspect(aspect.name, aspect.version);
      const bundle = await deps.personalities.bundleOf(aspect.name);
      const text = JSON.stringify(welcome(session, bundle, aspect));
      warnIfLong(text, aspect.name);
      return c.body(text, 200, { 'Content-Type': 'application/json' });
    } catch (error) {
      if (!(error instanceof KeyfileRefused)) throw error;
      deps.log.warn({ code: error.code, address: callerAddress(c) }, 'keyfile refused');
      const { message, currentVersion } = error;
      const current = currentVersion !== undefined && { current_version: currentVersion };
      return c.json({ error: message, ...current }, statuses[error.code]);
    }
  };

  const warnIfLong = (text: string, aspect: string): void => {
    const bytes = Buffer.byteLength(text);
    if (bytes <= readByOldClients) return;
    deps.log.warn({ aspect, bytes }, 'older clients read only 64 KiB of what this aspect is told');
  };

  return (app) => {
    app.get('/api/nexus_id', (c) => c.json({ nexus_id: deps.nexusId }));
    app.post(
      '/api/aspect/validate',
      bodyLimit({
        maxSize: maxBodyBytes,
        onError: (c) => c.json({ error: 'request body malformed' }, 400),
      }),
      answer,
    );
  };
}

/** The payload, when the body is an object with nothing else in it; empty when it is not there. */
function onlyMember(body: string): string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    // Malformed, which the caller says.
    return undefined;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const { encrypted_payload: encrypted, ...others } = value as Record<string, unknown>;
  if (Object.keys(others).length > 0) return undefined;
  if (encrypted === undefined || encrypted === null) return '';
  return typeof encrypted === 'string' ? encrypted : undefined;
}

function welcome(
  { token, expiresAt }: SessionToken,
  { personality, central, mcpProfile }: AspectBundle,
  { provider, model }: { provider: string; model: string },
): object {
  const { nexusMd, soulMd, primerMd, composed, version, updatedAt } = personality;
  return {
    ok: true,
    session_jwt: token,
    session_expires_at: wireTime(expiresAt),
    personality: {
      nexus_md: nexusMd,
      soul_md: soulMd,
      primer_md: primerMd,
      composed,
      version,
      updated_at: updatedAt,
    },
    provider,
    model,
    central_nexus_md: central.nexusMd,
    central_version: central.version,
    ...(mcpProfile && { mcp_profile: mcpProfile }),
  };
}
