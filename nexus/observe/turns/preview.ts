import { cutText } from './cut-text.ts';

const maxPreviewBytes = 200;

/** Control characters take six times their room in JSON. */
export const maxEncodedPreviewBytes = 448;

/** The beginning of a tool's result, as one line (observability spec §1.3). */
export function previewOf(text: string): string {
  const head = cutText(text, maxPreviewBytes, (part) => Buffer.byteLength(part));
  const newline = head.indexOf('\n');
  const line = newline >= 0 ? head.slice(0, newline) : head;
  const shown = cutText(line, maxEncodedPreviewBytes);
  return shown.length < text.length ? `${shown}…` : shown;
}
