import type { Context } from 'hono';
import { Type } from 'typebox';
import { FrameRefused } from '#shared/frames/errors';
import {
  maxPersonalityBytes,
  type PersonalityService,
} from '../personalities/personality-service.ts';
import { documentsIn, timeOf, toWireWithTime } from '../personalities/view.ts';
import { assertAdmin, versionIn } from './admin.ts';
import { bodyOf, type HttpEnv, type Resource } from './app.ts';

const document = Type.Optional(Type.String());
const strict = { additionalProperties: false } as const;

/** The reference writes the singular; both are served. */
const spellings = [
  '/api/admin/aspect/:name/personality',
  '/api/admin/aspects/:name/personality',
] as const;

/** Personalities and the central document (auth spec §9, §11.2). */
export function personalityRoutes(personalities: PersonalityService): Resource {
  const documentsBody = bodyOf(
    Type.Object(
      { nexus_md: document, soul_md: document, primer_md: document },
      { ...strict, minProperties: 1 },
    ),
    maxPersonalityBytes,
  );
  const centralBody = bodyOf(Type.Object({ nexus_md: Type.String() }, strict), maxPersonalityBytes);

  /** Replaces all documents: one that is not there is empty, as the reference has it. */
  const replace = async (c: Context<HttpEnv>, aspect: string) => {
    const given = documentsIn({
      nexus_md: '',
      soul_md: '',
      primer_md: '',
      ...(await documentsBody(c)),
    });
    const ifVersion = versionIn(c, 'if_version');
    const actor = c.var.identity.name;
    const change = await personalities.change(actor, aspect, given, ifVersion);
    return c.json({ aspect, old_version: change.oldVersion, new_version: change.newVersion });
  };

  return (app) => {
    app.put('/api/aspect/personality', (c) => replace(c, ownName(c, personalities)));

    for (const ofAspect of spellings) {
      app.put(ofAspect, (c) => {
        assertAdmin(c.var.identity);
        return replace(c, personalities.knownName(c.req.param('name')));
      });

      app.get(ofAspect, (c) => {
        assertAdmin(c.var.identity);
        const aspect = personalities.knownName(c.req.param('name'));
        const personality = personalities.personality(aspect, versionIn(c, 'version'));
        return c.json(toWireWithTime(aspect, personality, personalities.central()));
      });
    }

    app.put('/api/admin/nexus-md', async (c) => {
      assertAdmin(c.var.identity);
      const { nexus_md } = await centralBody(c);
      const ifVersion = versionIn(c, 'if_version');
      const change = await personalities.changeCentral(c.var.identity.name, nexus_md, ifVersion);
      return c.json({ old_version: change.oldVersion, new_version: change.newVersion });
    });

    app.get('/api/admin/nexus-md', (c) => {
      assertAdmin(c.var.identity);
      const central = personalities.central(versionIn(c, 'version'));
      return c.json({ nexus_md: central.nexusMd, version: central.version, ...timeOf(central) });
    });
  };
}

function ownName(c: Context<HttpEnv>, personalities: PersonalityService): string {
  try {
    return personalities.knownName(c.var.identity.name);
  } catch (cause) {
    throw new FrameRefused('not_found', 'aspect no longer exists', { cause });
  }
}
