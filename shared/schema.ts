import { Ajv, type ErrorObject } from 'ajv';
import type { Static, TSchema } from 'typebox';

/** Tells values that fit a schema from those that do not. */
export interface SchemaCheck<Schema extends TSchema> {
  accepts(value: unknown): value is Static<Schema>;
  /** What is wrong with a value that was not accepted, such as `/port must be integer`. */
  problemWith(value: unknown): string;
}

const ajv = new Ajv();

/**
 * Compiles a schema; takes milliseconds. Throws on a schema that is itself wrong. Integers are
 * those that every peer holds exactly, up to 2^53 - 1: larger ones would go out as `1e+21`.
 */
export function compileSchema<Schema extends TSchema>(schema: Schema): SchemaCheck<Schema> {
  const validate = ajv.compile(JSON.parse(JSON.stringify(schema), withSafeIntegers));
  return {
    accepts: (value): value is Static<Schema> => validate(value),
    problemWith(value) {
      validate(value);
      return describe(validate.errors?.[0]);
    },
  };
}

const withSafeIntegers = (_: string, schema: { type?: unknown } | null): unknown =>
  schema?.type === 'integer'
    ? { minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER, ...schema }
    : schema;

function describe(error: ErrorObject | undefined): string {
  if (!error) return 'is fine';
  const { allowedValues, allowedValue } = error.params as Record<string, unknown>;
  const choices = allowedValues ?? (allowedValue === undefined ? undefined : [allowedValue]);
  const detail = Array.isArray(choices) ? `: ${choices.join(', ')}` : '';
  return `${error.instancePath} ${error.message ?? 'is invalid'}${detail}`.trimStart();
}
