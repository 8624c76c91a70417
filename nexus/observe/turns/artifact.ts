import type { TurnArtifact } from '#shared/frames/observed-turn';
import { cutWithMark, encodedBytes } from './cut-text.ts';

/** Edits of one artifact; the rest is counted. */
export const maxEdits = 200;

/** What a tool call's input says about a file, or why it says nothing. */
export type ArtifactOutcome =
  | { readonly artifact: TurnArtifact }
  | { readonly artifact_parse_err: string };

type Read = (input: Fields, room: Room) => TurnArtifact;

const readers: ReadonlyMap<string, Read> = new Map([
  ['Edit', readEdit],
  ['Write', readWrite],
  ['MultiEdit', readMultiEdit],
  ['NotebookEdit', readNotebookEdit],
]);

/**
 * What a call of a file-changing tool is about to do (observability spec §1.3); undefined for any
 * other tool. Its texts together take at most about `maxBytes` as JSON, and show where they are cut.
 */
export function artifactOf(
  tool: string,
  input: unknown,
  maxBytes: number,
): ArtifactOutcome | undefined {
  const read = readers.get(tool);
  if (!read) return undefined;
  const fields = Fields.of(input);
  if (!fields) return { artifact_parse_err: 'the input is not an object' };
  const artifact = read(fields, new Room(maxBytes));
  return fields.problem ? { artifact_parse_err: fields.problem } : { artifact };
}

function readEdit(input: Fields, room: Room): TurnArtifact {
  const file_path = room.take(input.text('file_path'));
  const old_text = room.take(input.text('old_string'));
  const new_text = room.take(input.text('new_string'));
  return {
    kind: 'file_edit',
    file_path,
    ...(old_text && { old_text }),
    ...(new_text && { new_text }),
  };
}

function readWrite(input: Fields, room: Room): TurnArtifact {
  const file_path = room.take(input.text('file_path'));
  const new_text = room.take(input.text('content'));
  return { kind: 'file_write', file_path, ...(new_text && { new_text }) };
}

function readMultiEdit(input: Fields, room: Room): TurnArtifact {
  const file_path = room.take(input.text('file_path'));
  return { kind: 'multi_edit', file_path, edits: room.edits(input.items('edits')) };
}

function readNotebookEdit(input: Fields, room: Room): TurnArtifact {
  const file_path = room.take(input.text('notebook_path'));
  const new_text = room.take(input.text('new_source'));
  return { kind: 'notebook_edit', file_path, ...(new_text && { new_text }) };
}

/** Members of a tool's input. What is missing reads as empty; what has a wrong type is a problem. */
class Fields {
  problem: string | undefined;
  readonly #members: Readonly<Record<string, unknown>>;

  private constructor(members: object) {
    this.#members = { ...members };
  }

  static of(value: unknown): Fields | undefined {
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? new Fields(value) : undefined;
  }

  text(name: string): string {
    const value = this.#members[name] ?? '';
    if (typeof value === 'string') return value;
    this.problem = `${name} is not text`;
    return '';
  }

  items(name: string): { oldText: string; newText: string }[] {
    const value = this.#members[name] ?? [];
    if (!Array.isArray(value)) {
      this.problem = `${name} is not a list`;
      return [];
    }
    return value.map((item: unknown) => {
      const fields = Fields.of(item);
      if (!fields) this.problem = `${name} holds what is not an object`;
      const edit = {
        oldText: fields?.text('old_string') ?? '',
        newText: fields?.text('new_string') ?? '',
      };
      this.problem ??= fields?.problem;
      return edit;
    });
  }
}

/** The bytes that an artifact's texts may still take. */
class Room {
  #left: number;

  constructor(bytes: number) {
    this.#left = bytes;
  }

  take(text: string): string {
    const kept = cutWithMark(text, this.#left);
    this.#left -= encodedBytes(kept);
    return kept;
  }

  edits(
    items: readonly { oldText: string; newText: string }[],
  ): NonNullable<TurnArtifact['edits']> {
    const shown: NonNullable<TurnArtifact['edits']> = [];
    for (const { oldText, newText } of items) {
      if (this.#left <= 0 || shown.length === maxEdits) {
        shown.push({ old_text: '', new_text: `… [${items.length - shown.length} more edits]` });
        break;
      }
      shown.push({ old_text: this.take(oldText), new_text: this.take(newText) });
    }
    return shown;
  }
}
