import { type Documents, noDocuments } from '#shared/config/personality';

/** What an aspect is told to be, and how often that has changed. */
export interface Personality {
  readonly documents: Documents;
  /** 0: it was never given one. */
  readonly version: number;
  /** As in SQLite; absent with version 0. */
  readonly updatedAt?: string | undefined;
}

/** What every aspect of this Nexus reads first. */
export interface Central {
  readonly nexusMd: string;
  readonly version: number;
  readonly updatedAt?: string | undefined;
}

export const noPersonality: Personality = { documents: noDocuments, version: 0 };

export const noCentral: Central = { nexusMd: '', version: 0 };
