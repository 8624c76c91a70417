const redacted = '[redacted]';

/** Members whose value is a secret, in whatever style their name is written. */
const secretName = /(?:token|secret|password|passwd|authorization|api[_-]?key|private[_-]?key)$/i;

/**
 * What a secret looks like in the middle of a text. A match begins only where a word does, so that
 * no text takes long.
 */
const secretTexts: readonly (readonly [pattern: RegExp, replacement: string])[] = [
  [
    /-----BEGIN [A-Z ]{0,32}PRIVATE KEY-----[^-]*(?:-----END [A-Z ]{0,32}PRIVATE KEY-----)?/g,
    redacted,
  ],
  [/(?<![\w-])(Bearer|Basic)\s{1,8}[\w.~+/=-]{8,}/gi, `$1 ${redacted}`],
  // JSON Web Tokens, keys of well-known services, and our own tokens.
  [/(?<![\w-])eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g, redacted],
  [/(?<![\w-])[spr]k[-_](?=[\w-]*\d)[\w-]{16,}/g, redacted],
  [/(?<![\w-])(?:gh[oprsu]_|github_pat_|glpat-|xox[abeprs]-)[\w-]{16,}/g, redacted],
  [/(?<![\w-])(?:AKIA|ASIA)[0-9A-Z]{16}(?![\w-])/g, redacted],
  [/(?<![\w-])AIza[\w-]{30,}/g, redacted],
  [/(?<![\w-])[0-9a-f]{64}(?![\w-])/g, redacted],
  // The password in an address.
  [/(:\/\/[^\s:/@]{1,256}:)[^\s/@]{1,256}@/g, `$1${redacted}@`],
  // `token=…`, `"api_key": "…"`, `PASSWORD: …`, also in JSON that is quoted in JSON.
  [
    /((?:token|secret|password|passwd|authorization|api[_-]?key|private[_-]?key)\\?["']?\s{0,8}[:=]\s{0,8}\\?["']?)[^\s"'\\,;&{}[\]()]{4,}/gi,
    `$1${redacted}`,
  ],
];

/** A text without what looks like a secret. */
export function redactText(text: string): string {
  let clean = text;
  for (const [pattern, replacement] of secretTexts) clean = clean.replace(pattern, replacement);
  return clean;
}

/** For `JSON.stringify`: leaves out values of secret members, and what looks like a secret in texts. */
export function redacting(name: string, value: unknown): unknown {
  if (typeof value === 'string') return secretName.test(name) ? redacted : redactText(value);
  const isShown = value === null || value === undefined || !secretName.test(name);
  return isShown ? value : redacted;
}
