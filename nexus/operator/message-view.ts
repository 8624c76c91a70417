import { styleText } from 'node:util';
import type { ChatDeliver } from '#shared/frames/chat';
import { operatorName } from '../credentials/identity.ts';

/** Prints messages for people, or one JSON object a line for programs. */
export interface MessageView {
  readonly json: boolean;
  readonly stream: NodeJS.WriteStream;
}

/** One message as a line (or more, indented under the name). No trailing newline. */
export function renderChat({ json, stream }: MessageView, message: ChatDeliver): string {
  if (json) return JSON.stringify(message);
  const { id, from, content, reply_to } = message;
  const where = reply_to ? `${id}→${reply_to}` : `${id}`;
  const colour = from === operatorName ? 'bold' : 'cyan';
  const paint = (style: 'bold' | 'cyan' | 'dim', text: string) =>
    styleText(style, text, { stream });
  const text = content
    .trim()
    .replaceAll('\r\n', '\n')
    .replace(/\n(?=[^\n])/g, '\n    ');
  return `${paint(colour, from)} ${paint('dim', where)}  ${printable(text)}`;
}

/** Control characters would let a message move the cursor or recolour the terminal. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '·');
}
