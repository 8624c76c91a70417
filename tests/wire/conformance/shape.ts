import assert from 'node:assert/strict';

/** Says what is wrong with a value, or nothing. */
export type Rule = (value: unknown) => string | undefined;

const rule =
  (what: string, holds: (value: unknown) => boolean): Rule =>
  (value) =>
    holds(value) ? undefined : `is ${JSON.stringify(value)?.slice(0, 80)}, not ${what}`;

export const text = rule('a string', (value) => typeof value === 'string');
export const filled = rule(
  'a non-empty string',
  (value) => typeof value === 'string' && value !== '',
);
export const integer = rule('an integer', Number.isSafeInteger);
export const positive = rule(
  'a positive integer',
  (value) => Number.isSafeInteger(value) && Number(value) > 0,
);
export const number = rule('a number', (value) => typeof value === 'number');
export const flag = rule('a boolean', (value) => typeof value === 'boolean');
export const anything: Rule = () => undefined;
export const time = rule(
  'an RFC 3339 time',
  (value) =>
    typeof value === 'string' &&
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/.test(value) &&
    !Number.isNaN(Date.parse(value)),
);
export const is = (...wanted: unknown[]): Rule =>
  rule(wanted.map((each) => JSON.stringify(each)).join(' or '), (value) => wanted.includes(value));

/** A list whose members all fit. Go peers may send `null` for an empty one. */
export const list =
  (member: Rule): Rule =>
  (value) => {
    if (value === null) return undefined;
    if (!Array.isArray(value)) return 'is not a list';
    for (const [index, each] of value.entries()) {
      const problem = member(each);
      if (problem) return `[${index}] ${problem}`;
    }
    return undefined;
  };

/** An object with exactly these members; names that end in `?` may be missing. */
export const object =
  (members: Readonly<Record<string, Rule>>): Rule =>
  (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      return 'is not an object';
    const rest = new Map(Object.entries(value));
    for (const [key, check] of Object.entries(members)) {
      const name = key.replace(/\?$/, '');
      const has = rest.has(name);
      if (!has && name === key) return `lacks "${name}"`;
      const problem = has ? check(rest.get(name)) : undefined;
      if (problem) return `"${name}" ${problem}`;
      rest.delete(name);
    }
    return rest.size > 0 ? `has the unknown member "${[...rest.keys()].join('", "')}"` : undefined;
  };

/** Fails unless the value fits. */
export function fits(what: string, value: unknown, shape: Rule): void {
  const problem = shape(value);
  assert.ok(problem === undefined, `${what} ${problem}`);
}
