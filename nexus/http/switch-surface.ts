import type { Context } from 'hono';
import { Type } from 'typebox';
import { FrameRefused } from '#shared/frames/errors';
import { Surface } from '#shared/frames/surface';
import type { Hub } from '../broker/hub.ts';
import type { RosterService } from '../roster/roster-service.ts';
import { surfaceSwitched } from '../roster/switch-surface.ts';
import { assertAdmin } from './admin.ts';
import { bodyOf, type HttpEnv, type Resource } from './app.ts';

export interface SwitchSurfaceDeps {
  readonly roster: RosterService;
  readonly hub: Hub;
  /** A known aspect's name as its owner spells it. */
  findName(name: string): string | undefined;
}

/** Has an aspect run as another program; its socket is closed, so that it starts again as that. */
export function switchSurfaceRoute({ roster, hub, findName }: SwitchSurfaceDeps): Resource {
  const request = bodyOf(Type.Object({ primary_surface: Surface }));
  const switchSurface = async (c: Context<HttpEnv>, name: string) => {
    assertAdmin(c.var.identity);
    const { primary_surface } = await request(c);
    const aspect = findName(name);
    if (aspect === undefined) throw new FrameRefused('not_found', 'unknown aspect');
    const route = hub.find(aspect);
    const actor = c.var.identity.name;
    const previous = await roster.switchSurface(aspect, primary_surface, actor);
    // Who does not say runs as a funnel.
    const restartNeeded = route !== undefined && (previous || 'funnel') !== primary_surface;
    if (restartNeeded && hub.isCurrent(route)) surfaceSwitched(route.connection);
    return c.json({
      aspect,
      primary_surface,
      ...(previous && { previous_surface: previous }),
      restart_needed: restartNeeded,
    });
  };
  return (app) => {
    app.put('/api/admin/aspect/:name/switch-surface', (c) => switchSurface(c, c.req.param('name')));
    app.put('/api/admin/aspects/:name/switch-surface', (c) =>
      switchSurface(c, c.req.param('name')),
    );
  };
}
