import { composeDocuments, type Documents } from '#shared/config/personality';
import type { Personality as WirePersonality } from '#shared/frames/personality';
import { fromSqlTime } from '../storage/sql-time.ts';
import type { Central, Personality } from './personality.ts';

/** A personality with the central document, as peers see it. */
export function toWire(
  aspect: string,
  { documents, version }: Personality,
  central: Central,
): WirePersonality {
  return {
    aspect,
    version,
    nexus_md: documents.nexusMd,
    soul_md: documents.soulMd,
    primer_md: documents.primerMd,
    composed: composeDocuments(documents),
    central_nexus_md: central.nexusMd,
    central_version: central.version,
  };
}

/** The same with when it was last changed, if it ever was. */
export function toWireWithTime(aspect: string, personality: Personality, central: Central) {
  return { ...toWire(aspect, personality, central), ...timeOf(personality) };
}

export const timeOf = ({ updatedAt }: { updatedAt?: string | undefined }) =>
  updatedAt === undefined ? {} : { updated_at: fromSqlTime(updatedAt) };

/** The documents that a request has. */
export function documentsIn(request: {
  nexus_md?: string;
  soul_md?: string;
  primer_md?: string;
}): Partial<Documents> {
  const { nexus_md: nexusMd, soul_md: soulMd, primer_md: primerMd } = request;
  return {
    ...(nexusMd !== undefined && { nexusMd }),
    ...(soulMd !== undefined && { soulMd }),
    ...(primerMd !== undefined && { primerMd }),
  };
}
