/** Text that stands where a JSON value should, such as `1e400`; it need not be JSON at all. */
export class Raw {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** An object's members in their order; a name may come twice, `__proto__` is a name like any. */
export class Members {
  readonly entries: readonly (readonly [string, unknown])[];

  constructor(entries: readonly (readonly [string, unknown])[]) {
    this.entries = entries;
  }
}

/** As `JSON.stringify`, but for what no value of ours can be. Members that are undefined go. */
export function jsonText(value: unknown): string {
  if (value instanceof Raw) return value.text;
  if (value instanceof Members) return membersText(value.entries);
  if (Array.isArray(value)) return `[${value.map(jsonText).join(',')}]`;
  if (typeof value === 'object' && value !== null) return membersText(Object.entries(value));
  return JSON.stringify(value) ?? 'null';
}

const membersText = (entries: Members['entries']): string =>
  `{${entries
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${JSON.stringify(name)}:${jsonText(value)}`)
    .join(',')}}`;
