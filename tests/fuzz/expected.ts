import { readFileSync } from 'node:fs';
import { catalogue } from '#shared/frames/catalogue';
import type { FrameDefinition } from '#shared/frames/define';

/** What must come of one text, worked out without the codec. */
export interface Expected {
  readonly kind: string;
  /** Absent when nothing can be answered to it. */
  readonly id: string | undefined;
  readonly definition: FrameDefinition | undefined;
}

const byKind = new Map(catalogue.map((definition) => [definition.kind, definition]));

/** The limits of docs/protocol.md, in characters. */
const maxKind = 128;
const maxId = 256;
const maxTime = 64;

/** Undefined for what is no frame at all (docs/protocol.md, "The envelope"). */
export function expectedOf(text: string): Expected | undefined {
  let value: Record<string, unknown>;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const { kind, id, in_reply_to, target_aspect, ts } = value;
  if (typeof kind !== 'string' || kind === '' || kind.length > maxKind) return undefined;
  for (const member of [id, in_reply_to, target_aspect]) {
    if (member !== undefined && member !== null && !isText(member, maxId)) return undefined;
  }
  if (ts !== undefined && ts !== null && ts !== '') {
    if (!isText(ts, maxTime) || Number.isNaN(Date.parse(ts)) || !/^\d{4}-.*T/.test(ts)) {
      return undefined;
    }
  }
  const answerable = typeof id === 'string' && id !== '' && !in_reply_to;
  return {
    kind: kind.toWellFormed(),
    id: answerable ? id.toWellFormed() : undefined,
    definition: byKind.get(kind),
  };
}

const isText = (value: unknown, maxLength: number): value is string =>
  typeof value === 'string' && value.length <= maxLength;

/** The codes that docs/errors.md names as crossing the wire. */
export const wireCodes: ReadonlySet<string> = new Set(
  [
    ...(readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8')
      .split('## ')
      .find((section) => section.startsWith('On the wire'))
      ?.matchAll(/^\| `([a-z_.]+)`/gm) ?? []),
  ].map(([, code = '']) => code),
);
