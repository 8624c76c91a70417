import type { Documents } from '#shared/config/personality';
import { OperatorError } from './errors.ts';

/** The documents as files call them, in their fixed order. */
const names = ['NEXUS.md', 'SOUL.md', 'PRIMER.md'] as const;

const markerOf = (name: string): string => `# === ${name} ===`;
const markers = /^# === (NEXUS\.md|SOUL\.md|PRIMER\.md) ===[ \t\r]*$/gm;

/** Documents as one text for an editor (auth spec §11.2). */
export function formatDocuments({ nexusMd, soulMd, primerMd }: Documents): string {
  return [nexusMd, soulMd, primerMd]
    .map((text) => (text.trim() === '' ? '' : `${text.trimEnd()}\n`))
    .map((text, at) => `${markerOf(names[at] ?? '')}\n${text}`)
    .join('\n');
}

/**
 * Reads such a text. What is above the first marker is dropped; sections lose one leading newline
 * and trailing space. Throws `OperatorError` unless each marker is there once and in its place.
 */
export function parseDocuments(text: string): Documents {
  const found = [...text.matchAll(markers)];
  if (found.map(([, name]) => name).join() !== names.join()) {
    const wanted = names.map(markerOf).join(', ');
    const message = `the marker lines must be there once each, in this order: ${wanted}`;
    throw new OperatorError('operator.bad_text', message);
  }
  const [nexusMd = '', soulMd = '', primerMd = ''] = found.map((marker, at) =>
    text
      .slice(marker.index + marker[0].length, found[at + 1]?.index)
      .replace(/^\n/, '')
      .trimEnd(),
  );
  return { nexusMd, soulMd, primerMd };
}
