/** Texts that are shorter would blank out ordinary words. */
const minLength = 6;
/** Texts of one owner; of more, the longest count. */
const maxPerOwner = 16;
/** Owners; beyond them the oldest is no longer looked for. */
const maxOwners = 1_024;

const mark = '[secret]';

/** Secrets that are in use, so that a log can cut them out wherever somebody put them. */
export class KnownSecrets {
  readonly #byOwner = new Map<string, readonly string[]>();
  /** What to look for, the longest first; undefined until it is needed. */
  #forms: readonly string[] | undefined;

  /** Replaces what is known of one owner. */
  set(owner: string, values: readonly string[]): void {
    this.forget(owner);
    const kept = values
      .filter((value) => value.length >= minLength)
      .sort((a, b) => b.length - a.length)
      .slice(0, maxPerOwner);
    if (kept.length === 0) return;
    this.#byOwner.set(owner, kept);
    const [oldest] = this.#byOwner.keys();
    if (this.#byOwner.size > maxOwners && oldest !== undefined) this.#byOwner.delete(oldest);
  }

  forget(owner: string): void {
    this.#byOwner.delete(owner);
    this.#forms = undefined;
  }

  /** A line of JSON without them. It stays JSON. */
  redact(line: string): string {
    this.#forms ??= [...new Set([...this.#byOwner.values()].flat().flatMap(formsOf))].sort(
      (a, b) => b.length - a.length,
    );
    let text = line;
    for (const form of this.#forms) {
      if (text.includes(form)) text = without(text, form);
    }
    return text;
  }
}

/** How a text can stand in a line of JSON: as itself, inside JSON in a text, and in a URL. */
function formsOf(value: string): string[] {
  const once = insideJson(value);
  return [once, insideJson(once), encodeURIComponent(value.toWellFormed())];
}

const insideJson = (text: string): string => JSON.stringify(text).slice(1, -1);

/** Cuts every occurrence out, but none that begins in the middle of an escape such as `\n`. */
function without(line: string, form: string): string {
  let kept = '';
  let from = 0;
  for (let at = line.indexOf(form); at >= 0; at = line.indexOf(form, at + 1)) {
    if (at < from || isEscaped(line, at)) continue;
    kept += line.slice(from, at) + mark;
    from = at + form.length;
  }
  return kept + line.slice(from);
}

function isEscaped(line: string, at: number): boolean {
  let backslashes = 0;
  while (line[at - backslashes - 1] === '\\') backslashes += 1;
  return backslashes % 2 === 1;
}
