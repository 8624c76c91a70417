import { existsSync, readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type AspectHome, AspectHomeError, loadAspectHome } from '#shared/config/aspect-json';
import { nameKey } from '#shared/config/names';
import { TeamError } from './errors.ts';

/** The aspects that an instance runs. */
export interface Team {
  /** The coordinator, which runs inside the broker's process. */
  readonly frame: AspectHome | undefined;
  /** The others, one process each, by name. */
  readonly aspects: readonly AspectHome[];
}

/**
 * Finds the homes one level below the given folders: every sub-folder with an `aspect.json`, but
 * not those that opt out with `metadata.auto_spawn: false`. Throws `TeamError`.
 */
export function findTeam(folders: readonly string[]): Team {
  const homes = new Map<string, AspectHome>();
  for (const path of folders.flatMap(homeFolders)) {
    const home = load(path);
    if (home.config.metadata?.['auto_spawn'] === false) continue;
    const key = nameKey(home.config.name);
    const other = homes.get(key);
    if (other) {
      throw new TeamError(
        'team.name_taken',
        `${other.path} and ${path} are both called ${home.config.name}; rename one in its aspect.json`,
      );
    }
    homes.set(key, home);
  }
  const sorted = [...homes.values()].sort((a, b) => (a.config.name < b.config.name ? -1 : 1));
  const frames = sorted.filter(isFrame);
  if (frames.length > 1) {
    const names = frames.map((home) => home.config.name).join(', ');
    throw new TeamError('team.two_frames', `only one home may have role "frame", but: ${names}`);
  }
  return { frame: frames[0], aspects: sorted.filter((home) => !isFrame(home)) };
}

const isFrame = (home: AspectHome): boolean => home.config.role === 'frame';

function homeFolders(folder: string): string[] {
  const root = resolve(folder);
  if (!existsSync(root) || !statSync(root).isDirectory()) {
    throw new TeamError('team.no_folder', `there is no folder ${root}; see --aspect-dir`);
  }
  return readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(root, entry.name, 'aspect.json')))
    .map((entry) => join(root, entry.name));
}

function load(path: string): AspectHome {
  try {
    return loadAspectHome(path);
  } catch (cause) {
    if (!(cause instanceof AspectHomeError)) throw cause;
    throw new TeamError('team.bad_home', cause.message, { cause });
  }
}
