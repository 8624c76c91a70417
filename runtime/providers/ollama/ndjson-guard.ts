import { failureOfStream } from '../http-failure.ts';
import { findJson, isRecord } from '../json.ts';
import { failureInStream } from './ollama-failure.ts';

/** Longest line accepted. Ollama's are a few hundred bytes. */
const MAX_LINE_BYTES = 1 << 20;
const NEWLINE = 0x0a;

/**
 * Passes whole NDJSON lines on, one at a time, and fails on anything else: a line that is not a
 * JSON object, an `error` line, an end without `done: true`. The client library skips bad lines
 * with a warning, which would lose text silently. Reads nothing before it is asked to.
 */
export async function* guardNdjson(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const line of linesOf(body)) {
    const text = new TextDecoder().decode(line).trim();
    if (text === '') continue;
    const piece = parsePiece(text);
    yield new TextEncoder().encode(`${text}\n`);
    if (piece['done'] === true) return;
  }
  throw failureOfStream('ollama', 'cut');
}

async function* linesOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let rest: Uint8Array = new Uint8Array(0);
  for await (const chunk of body) {
    const bytes = Buffer.concat([rest, chunk]);
    let start = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
      yield bytes.subarray(start, end);
      start = end + 1;
    }
    rest = bytes.subarray(start);
    if (rest.length > MAX_LINE_BYTES) throw failureOfStream('ollama', 'malformed');
  }
  yield rest;
}

function parsePiece(text: string): Record<string, unknown> {
  const piece = findJson(text);
  if (!isRecord(piece)) throw failureOfStream('ollama', 'malformed');
  if ('error' in piece) throw failureInStream(String(piece['error']));
  return piece;
}
