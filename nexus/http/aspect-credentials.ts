import { Type } from 'typebox';
import { FrameRefused } from '#shared/frames/errors';
import type { CredentialDefaults, Defaults } from '../vault/credential-defaults.ts';
import { credentialUses } from '../vault/events.ts';
import { type McpProfiles, maxProfileBytes } from '../vault/profiles/mcp-profiles.ts';
import { assertAdmin } from './admin.ts';
import { bodyOf, bodyText, type Resource } from './app.ts';

const maxDefaultsBytes = 16 * 1024;

const name = Type.Optional(Type.String());

const Changes = Type.Object(
  {
    default_anthropic_credential: name,
    default_openai_credential: name,
    default_jira_credential: name,
    default_imap_credential: name,
  },
  { additionalProperties: false },
);

export interface AspectCredentialDeps {
  readonly defaults: CredentialDefaults;
  readonly profiles: McpProfiles;
  /** A known aspect's name as its owner spells it. */
  findName(name: string): string | undefined;
}

/** An aspect's default credentials and its MCP profile, for operators and admins (§9.2). */
export function aspectCredentialRoutes(deps: AspectCredentialDeps): Resource {
  const { defaults, profiles } = deps;
  const changes = bodyOf(Changes, maxDefaultsBytes);
  const known = (asked: string): string => {
    const aspect = deps.findName(asked);
    if (aspect !== undefined) return aspect;
    throw new FrameRefused('not_found', 'unknown aspect');
  };
  const ofDefaults = '/api/admin/aspects/:name/credential-defaults';
  const ofProfile = '/api/admin/aspects/:name/mcp_profile';

  return (app) => {
    app.get(ofDefaults, (c) => {
      assertAdmin(c.var.identity);
      return c.json(asMembers(defaults.of(known(c.req.param('name')))));
    });

    app.put(ofDefaults, async (c) => {
      assertAdmin(c.var.identity);
      const aspect = known(c.req.param('name'));
      const body: Readonly<Record<string, string>> = await changes(c);
      const named = credentialUses.flatMap((use) => {
        const credential = body[memberFor(use)];
        return credential === undefined ? [] : [[use, credential] as const];
      });
      await defaults.set(aspect, Object.fromEntries(named), c.var.identity.name);
      return c.json(asMembers(defaults.of(aspect)));
    });

    app.get(ofProfile, (c) => {
      assertAdmin(c.var.identity);
      const aspect = known(c.req.param('name'));
      return c.json({ aspect, profile: profiles.find(aspect) });
    });

    app.put(ofProfile, async (c) => {
      assertAdmin(c.var.identity);
      const aspect = known(c.req.param('name'));
      const profile = await bodyText(c, maxProfileBytes);
      await profiles.set(aspect, profile, c.var.identity.name);
      return c.json({ aspect, profile });
    });
  };
}

const memberFor = (use: string): string => `default_${use}_credential`;

const asMembers = (defaults: Defaults): object =>
  Object.fromEntries(credentialUses.map((use) => [memberFor(use), defaults[use]]));
