import { nameProblem } from '#shared/config/names';
import { FrameRefused } from '#shared/frames/errors';

/** Credentials of one instance. */
export const maxCredentials = 1_000;
/** Bytes of all sealed bundles: changing the key writes all of them in one event. */
export const maxVaultBytes = 8 * 1024 * 1024;

const maxNameLength = 200;
const maxDescriptionLength = 500;
const maxAllowed = 256;

/** In an allow list: every aspect. */
export const everyAspect = '*';

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
const control = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;

/** Throws `FrameRefused` for a text that cannot name a credential. */
export function assertCredentialName(name: string): void {
  if (name.trim() !== name || name === '' || name.length > maxNameLength) {
    const rule = `1 to ${maxNameLength} characters, with no blank before or behind`;
    throw bad(`a credential's name has ${rule}`);
  }
  if (control.test(name) || !name.isWellFormed()) {
    throw bad("a credential's name is one line of Unicode text");
  }
  // In a URL they would mean a folder.
  if (name === '.' || name === '..') throw bad(`"${name}" cannot be a credential's name`);
}

/** Throws `FrameRefused` for a description that is too long or not one line. */
export function assertDescription(description: string): void {
  if (description.length > maxDescriptionLength || control.test(description)) {
    throw bad(`a description is one line of at most ${maxDescriptionLength} characters`);
  }
}

/** Throws `FrameRefused` for an allow list with something in it that is no aspect's name. */
export function assertAllowList(names: readonly string[]): void {
  if (names.length > maxAllowed) throw bad(`an allow list may have ${maxAllowed} names`);
  for (const name of names) {
    const problem = name === everyAspect ? undefined : nameProblem(name);
    if (problem) throw bad(`allowed_aspects: ${problem}, or "${everyAspect}" for every aspect`);
  }
}

const bad = (message: string) => new FrameRefused('bad_request', message);
