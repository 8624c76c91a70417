/** Who an aspect is, as its broker keeps it. */
export interface Personality {
  readonly nexusMd: string;
  readonly soulMd: string;
  readonly primerMd: string;
  readonly composed: string;
  /** 0 when nothing is kept. */
  readonly version: number;
  /** RFC 3339, or empty. */
  readonly updatedAt: string;
}

/** What an aspect is told about itself when it comes in. */
export interface AspectBundle {
  readonly personality: Personality;
  /** What holds for everybody. */
  readonly central: { readonly nexusMd: string; readonly version: number };
  /** A text of JSON, with its placeholders filled in. */
  readonly mcpProfile?: string | undefined;
}

/** Where the bundles come from. */
export interface PersonalitySource {
  bundleOf(aspect: string): AspectBundle | Promise<AspectBundle>;
}

/** Knows nothing about anybody: aspects are what their homes say. */
export const noPersonalities: PersonalitySource = {
  bundleOf: () => ({
    personality: {
      nexusMd: '',
      soulMd: '',
      primerMd: '',
      composed: '',
      version: 0,
      updatedAt: '',
    },
    central: { nexusMd: '', version: 0 },
  }),
};
