import type { PersonalitySource } from '../aspects/personality-source.ts';
import type { PersonalityStore } from '../personalities/personality-store.ts';
import type { McpProfiles } from '../vault/profiles/mcp-profiles.ts';

export interface AspectBundleDeps {
  readonly personalities: PersonalityStore;
  readonly profiles: McpProfiles;
}

/** What an aspect is given when it shows its keyfile: who it is, and its profile with secrets in. */
export function aspectBundles({ personalities, profiles }: AspectBundleDeps): PersonalitySource {
  return {
    async bundleOf(aspect) {
      const { documents, version, updatedAt = '' } = personalities.personality(aspect);
      const central = personalities.central();
      return {
        personality: { ...documents, composed: '', version, updatedAt },
        central: { nexusMd: central.nexusMd, version: central.version },
        mcpProfile: (await profiles.resolve(aspect)) || undefined,
      };
    },
  };
}
