/** Longest piece of somebody else's text that an answer repeats. */
const MAX_QUOTE = 240;

/** Markdown as plain text on one line. */
export function plainText(markdown: string): string {
  return markdown
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/[*`]+/g, '')
    .replace(/\s+/g, ' ')
    .trim();
}

/** One line, not too long, without the closing mark. */
export function excerpt(text: string, max = MAX_QUOTE): string {
  const line = text.replace(/\s+/g, ' ').trim();
  const short = line.length <= max ? line : `${line.slice(0, max).replace(/\s+\S*$/, '')} …`;
  return short.replace(/[\s.!?,;:]+$/, '');
}

/** The text as a sentence: closed, and starting with a capital. */
export function sentence(text: string): string {
  const trimmed = text.trim();
  if (trimmed === '') return '';
  const closed = /[.!?…]["”')]?$/.test(trimmed) ? trimmed : `${trimmed}.`;
  return closed.charAt(0).toUpperCase() + closed.slice(1);
}

/** The text as a continuation of a sentence. Names in capitals and "I" stay as they are. */
export function lowerFirst(text: string): string {
  return /^(?:I\b|[A-Z]{2})/.test(text) ? text : text.charAt(0).toLowerCase() + text.slice(1);
}

const TO_FIRST: Readonly<Record<string, string>> = {
  'you are': 'I am',
  "you're": "I'm",
  "you've": "I've",
  "you'll": "I'll",
  yourself: 'myself',
  yours: 'mine',
  your: 'my',
};

/** Documents address their aspect as "you"; in its mouth that becomes "I" or "me". */
export function toFirstPerson(text: string): string {
  return text
    .replace(/\b(?:you are|you're|you've|you'll|yourself|yours|your)\b/gi, (found) => {
      const first = TO_FIRST[found.toLowerCase()] ?? found;
      return /^[A-Z]/.test(found) ? first.charAt(0).toUpperCase() + first.slice(1) : first;
    })
    .replace(
      /\b(to|for|of|with|from|by|at|on|about|than|asks?|tells?|gives?|lets?) you\b/gi,
      '$1 me',
    )
    .replace(/\byou(?=\s*(?:[.,;:!?)]|$))/gi, 'me')
    .replace(/\byou\b/gi, 'I');
}

const FLIPPED: Readonly<Record<string, string>> = {
  "i'm": "you're",
  "i've": "you've",
  i: 'you',
  me: 'you',
  my: 'your',
  mine: 'yours',
  myself: 'yourself',
  your: 'my',
  yours: 'mine',
  yourself: 'myself',
  you: 'me',
};

/** Somebody else's words as seen from here: "fix my page for me" is "fix your page for you". */
export function fromHere(text: string): string {
  const flipped = text.replace(
    /\b(?:i'm|i've|i|me|my|mine|myself|yourself|yours|your|you)\b/gi,
    (found) => FLIPPED[found.toLowerCase()] ?? found,
  );
  return flipped.replace(/\bam\b/g, 'are');
}

/** Joins as people do: `a`, `a and b`, `a, b and c`. */
export function listOf(words: readonly string[]): string {
  const last = words.at(-1) ?? '';
  return words.length < 2 ? last : `${words.slice(0, -1).join(', ')} and ${last}`;
}

const FILLER = new Set(
  'a about an and are as at be by do for from how i in is it me my of on or our so that the their them they this to us we what when which who why will with would you your'.split(
    ' ',
  ),
);

/** The words that carry meaning, cut to a stem so that "reviews" meets "reviewer". */
export function stemsOf(text: string): Set<string> {
  const words = text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  return new Set(words.filter((word) => !FILLER.has(word)).map(stem));
}

function stem(word: string): string {
  const root = word.replace(/(?:ations?|ators?|ating|ions?|ings?|ers?|ors?|ed|es|s)$/, '');
  return root.length >= 3 ? root : word;
}
