import { plainText, toFirstPerson } from './wording.ts';

export interface Teammate {
  name: string;
  role: string;
}

/** What an aspect knows about itself from its system prompt. */
export interface Self extends Teammate {
  /** Everyone else. */
  team: readonly Teammate[];
  /** Who it is, in the first person: the first paragraph of its own documents. */
  about: string;
  /** What it holds to, in the first person: the bullet points of its own documents. */
  principles: readonly string[];
}

const TEAM_LINE = /^Your team:(.*)$/m;
const NAME_LINE = /^You are ([\w-]+)\b[, ]*([^.\n]*)/gm;
const BULLET = /^\s*(?:[-*+]|\d+[.)])\s+(.*)$/;
const NOT_A_NAME = new Set(['a', 'an', 'the', 'one', 'our', 'not', 'part']);

/** Reads a system prompt: the aspect's own documents, and the section that the runtime writes. */
export function parseSelf(system: string): Self {
  const everyone = parseTeam(TEAM_LINE.exec(system)?.[1] ?? '');
  const named = [...system.matchAll(NAME_LINE)].filter(([, name = '']) => !NOT_A_NAME.has(name));
  const isMember = (name: string) => everyone.some((mate) => mate.name === name);
  const line = named.find(([, name = '']) => isMember(name)) ?? named[0];
  const name = line?.[1] ?? 'loopback';
  const role =
    everyone.find((mate) => mate.name === name)?.role ||
    (line?.[2] ?? '').replace(/^(?:a|an|the)\s+/i, '').trim() ||
    'team member';
  const { paragraphs, bullets } = readDocuments(ownDocuments(system));
  return {
    name,
    role,
    team: everyone.filter((mate) => mate.name !== name),
    about: toFirstPerson(aboutParagraph(paragraphs, name) ?? `I am ${name}, the ${role}.`),
    principles: bullets.map(toFirstPerson),
  };
}

function parseTeam(list: string): Teammate[] {
  return [...list.matchAll(/([\w-]+)\s*\(([^)]*)\)/g)].map(([, name = '', role = '']) => ({
    name,
    role: role.trim(),
  }));
}

/** The system prompt without the section that holds the team line: that one is not the aspect's. */
function ownDocuments(system: string): string {
  const sections = system.split(/^(?=#{1,6}\s)|^-{3,}\s*$/m);
  const own = sections.filter((section) => !TEAM_LINE.test(section)).join('\n');
  return own.trim() === '' ? system.replace(TEAM_LINE, '') : own;
}

function readDocuments(text: string): { paragraphs: string[]; bullets: string[] } {
  const paragraphs: string[] = [];
  const bullets: string[] = [];
  let open: string[] | undefined;
  for (const line of text.split(/\r?\n/)) {
    const bullet = BULLET.exec(line)?.[1];
    if (bullet !== undefined) {
      bullets.push(bullet);
      open = bullets;
    } else if (line.trim() === '' || line.startsWith('#')) {
      open = undefined;
    } else if (open) {
      open.push(`${open.pop() ?? ''} ${line.trim()}`);
    } else {
      paragraphs.push(line.trim());
      open = paragraphs;
    }
  }
  return { paragraphs: paragraphs.map(plainText), bullets: bullets.map(plainText) };
}

/** The first paragraph about the aspect itself; a shared document may come before it. */
function aboutParagraph(paragraphs: readonly string[], name: string): string | undefined {
  const aboutItself = new RegExp(`\\b(?:you are|i am|${name})\\b`, 'i');
  return paragraphs.find((paragraph) => aboutItself.test(paragraph)) ?? paragraphs[0];
}
