import { FrameRefused } from '#shared/frames/errors';

/** Bytes of a path, and of one name in it. */
export const maxPathBytes = 1_024;
const maxNameBytes = 255;

/** Control and format characters (so also what turns text around), lone surrogates, line breaks. */
const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

/** Absolute on one system or another, on a drive, `~`, or a URL. */
const elsewhere = /^(?:[/\\]|[A-Za-z]:|~(?:[/\\]|$)|[A-Za-z][A-Za-z0-9+.-]+:\/\/)/;

/** `..`, and what Windows takes for it: it strips dots and spaces at the end of a name. */
const climbing = /^[. ]{2,}$/;

const device = /^(?:con|prn|aux|nul|com\d|lpt\d|conin\$|conout\$|clock\$) *(?:\.|$)/i;

/** What a client calls a file. It is never opened here: the broker keeps it as text only. */
export interface FilePath {
  readonly path: string;
  /** False for a path that makes sense only where it was written: a label, kept as given. */
  readonly homeRelative: boolean;
}

/**
 * Reads the path of a file: relative to its owner's home, with `/` between names, normalised, so
 * that whoever opens it there never leaves the home; or a label. Throws `FrameRefused` for a path
 * that is neither, or could be one thing to read and another to open.
 */
export function readPath(text: string): FilePath {
  const judged = judge(text);
  if (typeof judged === 'string') throw new FrameRefused('bad_request', `path ${judged}`);
  return judged;
}

/** Whether a path that was read before is relative to its owner's home. */
export function isHomeRelative(path: string): boolean {
  const judged = judge(path);
  return typeof judged === 'object' && judged.homeRelative;
}

const namesIn = (path: string): string[] => path.split(/[/\\]/);

/** The last name in a path, for people. */
export const nameIn = (path: string): string => namesIn(path).findLast(Boolean) ?? path;

/** The path, or what is wrong with it. */
function judge(text: string): FilePath | string {
  if (text === '') return 'is empty';
  if (Buffer.byteLength(text) > maxPathBytes) return `has more than ${maxPathBytes} bytes`;
  if (unprintable.test(text)) return 'has a control, format or broken character';
  const label = { path: text, homeRelative: false };
  // Some file systems fold look-alikes, such as the two-dot leader or full-width letters.
  const folded = namesIn(text.normalize('NFKC'));
  if (folded.some((name) => climbing.test(name))) return 'may not have ".."';
  if (elsewhere.test(text)) return label;

  if (folded.every(isNothing)) return 'names no file';
  const names = text.normalize('NFC').split('/');
  const kept = names.filter((name) => !isNothing(name));
  const path = kept.join('/');
  if (elsewhere.test(path.normalize('NFKC'))) return label;
  if (folded.some((name) => device.test(name))) return 'has a name that Windows keeps for a device';
  return kept.map(problemWith).find(Boolean) ?? { path, homeRelative: true };
}

const isNothing = (name: string): boolean => name === '' || name === '.';

function problemWith(name: string): string | undefined {
  if (name.includes('\\')) return 'has a backslash; write "/" between folders';
  if (name.includes(':')) return 'has a colon; leave it out';
  if (/[. ]$/.test(name)) return 'has a name that ends in a dot or a space';
  if (Buffer.byteLength(name) > maxNameBytes) return `has a name over ${maxNameBytes} bytes`;
  return undefined;
}
