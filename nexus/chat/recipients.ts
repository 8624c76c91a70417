import { nameKey } from '#shared/config/names';

/** `@` and a name, unless the `@` continues a word, an address or another mention. */
const mention = /(?<![\p{L}\p{N}_@])@([A-Za-z0-9_-]+)/gu;

/** The names a text mentions, as written, in order, without repetition. */
export function mentionsIn(text: string): string[] {
  if (!text.includes('@')) return [];
  const names = [...text.matchAll(mention)].map(([, name = '']) => name);
  return [...new Set(names)];
}

/** What decides who is addressed. */
export interface Post {
  readonly from: string;
  readonly content: string;
  readonly replyTo?: number | undefined;
  readonly replyAuthor?: string | undefined;
}

/** Who could be addressed. */
export interface Audience {
  /** The name as its owner spells it, when somebody is called so; any case. */
  resolve(name: string): string | undefined;
  /** Everybody whom `@all` reaches. */
  everybody(): Iterable<string>;
  /** The coordinator, when there is one. */
  readonly frame?: string | undefined;
  readonly operator: string;
}

/**
 * Whom a post is for, in alphabetical order, never its sender (wire spec §4.3 with G15).
 *
 * `@all` reaches everybody. Otherwise it is for those it mentions and for the author of what it
 * replies to. What an operator says to nobody in particular is for the coordinator, so that no
 * human word goes unheard; what an aspect says to nobody is for nobody, so that aspects do not
 * keep each other talking.
 */
export function recipientsOf(post: Post, audience: Audience): string[] {
  const addressed = namedBy(post, audience) ?? everybodyIn(audience);
  return [...withoutSender(addressed, post, audience)].sort();
}

/**
 * Whether a post is for a name that `@all` reaches: whether `recipientsOf` has it, without working
 * out who else is there.
 */
export function isFor(name: string, post: Post, audience: Audience): boolean {
  const named = namedBy(post, audience);
  return named ? withoutSender(named, post, audience).has(name) : name !== post.from;
}

/** Whom a post mentions or replies to; undefined when it is for everybody. */
function namedBy(post: Post, audience: Audience): Set<string> | undefined {
  const named = new Set<string>();
  for (const name of mentionsIn(post.content)) {
    if (nameKey(name) === 'all') return undefined;
    const known = audience.resolve(name) ?? audience.resolve(name.replace(/[-_]+$/, ''));
    if (known) named.add(known);
  }
  const author = post.replyAuthor && audience.resolve(post.replyAuthor);
  if (author) named.add(author);
  return named;
}

function everybodyIn({ everybody, frame }: Audience): Set<string> {
  const names = new Set(everybody());
  if (frame) names.add(frame);
  return names;
}

/** Takes the sender out, and puts the coordinator in where a human word would go unheard. */
function withoutSender(addressed: Set<string>, { from }: Post, audience: Audience): Set<string> {
  addressed.delete(from);
  if (addressed.size === 0 && from === audience.operator && audience.frame) {
    addressed.add(audience.frame);
  }
  return addressed;
}
