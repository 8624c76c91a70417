import { isUtf8 } from 'node:buffer';
import { Ajv, type ValidateFunction } from 'ajv';
import { type Entry, type EntryKind, entryPayloads, type KnownEntry } from './entry.ts';

const ajv = new Ajv();
// Compiled on first use: a process that opens no tree pays nothing.
const validators = new Map<EntryKind, ValidateFunction>();

/** One line of the log, newline included. */
export function encodeEntry({ id, parentId, kind, ts, payload }: KnownEntry): string {
  return `${JSON.stringify({ id, parentId, kind, ts, payload })}\n`;
}

/**
 * Reads one line without its newline. Undefined when it is no entry at all: cut short, not UTF-8,
 * or without the members that place it in a tree. An unknown kind, or a payload that does not fit
 * its kind, still is an entry: dropping it would cut off everything that follows it.
 */
export function decodeEntry(line: Buffer): Entry | undefined {
  const value = parseObject(line);
  if (!value) return undefined;
  const { id, parentId = null, kind, ts, payload } = value;
  if (typeof id !== 'string' || id === '') return undefined;
  if (typeof kind !== 'string' || typeof ts !== 'string') return undefined;
  // The reference leaves the member out on a root, its document writes null (§10.1).
  if (parentId !== null && typeof parentId !== 'string') return undefined;
  if (isKind(kind) && validatorOf(kind)(payload)) {
    return { id, parentId, kind, ts, payload } as KnownEntry;
  }
  return { id, parentId, kind: 'unknown', kindOnDisk: kind, ts, payload };
}

function parseObject(line: Buffer): Record<string, unknown> | undefined {
  // Decoding would replace broken characters silently, and change what was said.
  if (!isUtf8(line)) return undefined;
  try {
    const value: unknown = JSON.parse(line.toString());
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : undefined;
  } catch {
    // Not JSON: the caller counts the line, and recovery reports the count.
    return undefined;
  }
}

function isKind(kind: string): kind is EntryKind {
  return Object.hasOwn(entryPayloads, kind);
}

function validatorOf(kind: EntryKind): ValidateFunction {
  const known = validators.get(kind);
  if (known) return known;
  const compiled = ajv.compile(entryPayloads[kind]);
  validators.set(kind, compiled);
  return compiled;
}
