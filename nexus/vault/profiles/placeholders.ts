import { FrameRefused } from '#shared/frames/errors';

/** A text of a credential that stands for itself until a profile is handed out. */
export interface Placeholder {
  readonly credential: string;
  readonly field: string;
}

/** Placeholders in one text. */
const maxPlaceholders = 256;

const opening = `\${credential:`;
/** Strings of JSON, with the colon behind them where they are the names of members. */
const jsonString = /"[^"\\]*(?:\\.[^"\\]*)*"(\s*:)?/g;

/** Every placeholder in a JSON text, in order. Throws `FrameRefused` (`bad_request`). */
export function placeholdersIn(json: string): Placeholder[] {
  const found: Placeholder[] = [];
  substitute(json, (placeholder) => {
    if (found.push(placeholder) <= maxPlaceholders) return '';
    throw bad(`a profile may have ${maxPlaceholders} placeholders`);
  });
  return found;
}

/**
 * Replaces the placeholders, `${credential:NAME.field}`, inside the string values of a JSON text
 * (auth spec §10.6, §14 C4). Values are put in as JSON, so that they cannot become anything but
 * part of their string; they are not looked into for more. Everything else keeps its bytes.
 *
 * Throws `FrameRefused` (`bad_request`) for what is no JSON and for a malformed placeholder.
 */
export function substitute(json: string, fill: (placeholder: Placeholder) => string): string {
  assertJson(json);
  return json.replace(jsonString, (token, colon: string | undefined) => {
    if (colon !== undefined) return token;
    const text = JSON.parse(token) as string;
    if (!text.includes(opening)) return token;
    return JSON.stringify(rendered(text, fill));
  });
}

function rendered(text: string, fill: (placeholder: Placeholder) => string): string {
  const [before = '', ...rest] = text.split(opening);
  return rest.reduce((done, piece) => {
    const end = piece.indexOf('}');
    const inside = piece.slice(0, end);
    const dot = inside.lastIndexOf('.');
    if (end < 0 || dot < 1 || dot === inside.length - 1 || /["\r\n]/.test(inside)) {
      throw bad(`malformed placeholder: write ${opening}NAME.field}`);
    }
    const placeholder = { credential: inside.slice(0, dot), field: inside.slice(dot + 1) };
    return done + fill(placeholder) + piece.slice(end + 1);
  }, before);
}

function assertJson(text: string): void {
  try {
    JSON.parse(text);
  } catch {
    // Without the parser's words: it quotes the text.
    throw bad('the profile is not JSON');
  }
}

const bad = (message: string) => new FrameRefused('bad_request', message);
