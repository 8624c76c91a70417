import {
  clearScreenDown,
  createInterface,
  cursorTo,
  type Interface,
  moveCursor,
} from 'node:readline';
import type { ChatDeliver } from '#shared/frames/chat';
import { systemClock } from '#shared/sys/clock';
import { RequestRefused } from '#shared/transport/errors';
import { operatorName } from '../credentials/identity.ts';
import { AnswersDue } from './answers-due.ts';
import type { BrokerAccess } from './broker-access.ts';
import { OperatorError } from './errors.ts';
import { type MessageView, renderChat } from './message-view.ts';
import { Room } from './room.ts';
import { rosterTable } from './roster-table.ts';

export interface ChatRoomOptions extends MessageView {
  readonly input: NodeJS.ReadStream;
  /** How long a piped conversation waits for its last answers. */
  readonly timeoutMs: number;
  /** Told what is worth knowing besides messages, where it must not be among them. */
  readonly onNote: (text: string) => void;
}

/** Messages shown on entering. */
const backlog = 10;

const help = [
  'Type to post; @name addresses someone, @all everyone, nobody goes to the coordinator.',
  '/reply ID text   answers in the thread of a message',
  '/who             shows the roster',
  '/quit            leaves (so do Ctrl-C and Ctrl-D)',
].join('\n');

/**
 * The room, live: shows every message and posts what is typed, until the input ends. At the end of
 * piped input it stays for the answers that are due.
 */
export async function chatRoom(access: BrokerAccess, options: ChatRoomOptions): Promise<void> {
  const { input, stream, json, timeoutMs } = options;
  const interactive = Boolean(input.isTTY) && !json;
  let terminal: Interface | undefined;
  const print = (text: string) => {
    if (interactive && terminal) printAbove(terminal, stream, text);
    else stream.write(`${text}\n`);
  };
  const seat = new Seat(print, interactive ? { ...options, onNote: print } : options);
  const room = await Room.enter(access, seat.events);
  try {
    seat.sits(room, await room.roster());
    if (interactive) {
      for (const message of await room.recent(backlog)) print(renderChat(options, message));
      print(help);
    }
    // Only now: lines that arrive before somebody iterates are lost.
    terminal = createInterface({ input, ...(interactive && { output: stream, prompt: '> ' }) });
    await Promise.race([
      converse(terminal, seat).then(() => (interactive ? undefined : seat.answered(timeoutMs))),
      room.closed.then(({ reason }) => {
        throw new OperatorError('operator.no_broker', `the broker left: ${reason}`);
      }),
    ]);
  } finally {
    // What comes next is not to stand behind the prompt.
    if (interactive && terminal) stream.write('\n');
    terminal?.close();
    await room.leave();
  }
}

/** Feeds lines to the seat, in order, until the input ends or a line says to leave. */
async function converse(terminal: Interface, seat: Seat): Promise<void> {
  terminal.on('SIGINT', () => terminal.close());
  terminal.prompt();
  for await (const line of terminal) {
    if (line.trim() === '/quit') return;
    await seat.enter(line.trim());
    terminal.prompt();
  }
}

type SeatView = Pick<ChatRoomOptions, 'json' | 'stream' | 'onNote'>;

/** One operator's part in the room: commands in, messages out, answers due. */
class Seat {
  readonly #print: (text: string) => void;
  readonly #view: SeatView;
  #room: Room | undefined;
  #due = new AnswersDue([]);
  #whenSettled: (() => void) | undefined;

  constructor(print: (text: string) => void, view: SeatView) {
    this.#print = print;
    this.#view = view;
  }

  readonly events = {
    message: (message: ChatDeliver) => {
      if (message.from === operatorName) this.#due.follow(message.thread_root ?? message.id);
      this.#due.delivered(message);
      this.#print(renderChat(this.#view, message));
      this.#check();
    },
    reaction: (update: Parameters<AnswersDue['reacted']>[0]) => {
      this.#due.reacted(update);
      this.#check();
    },
    roster: (update: Parameters<AnswersDue['rosterChanged']>[0]) => {
      this.#due.rosterChanged(update);
      this.#check();
    },
  };

  sits(room: Room, roster: Awaited<ReturnType<Room['roster']>>): void {
    this.#room = room;
    this.#due = new AnswersDue(roster);
  }

  /** Does what one line says. Mistakes are told, not thrown. */
  async enter(line: string): Promise<void> {
    const room = this.#room;
    const { json, stream, onNote } = this.#view;
    if (line === '' || !room) return;
    if (line === '/who') {
      const rows = await room.roster();
      this.#print(
        json ? rows.map((row) => JSON.stringify(row)).join('\n') : rosterTable(rows, stream),
      );
      return;
    }
    const reply = /^\/reply\s+(?<id>\d{1,15})\s+(?<text>.+)$/s.exec(line)?.groups;
    if (line.startsWith('/') && !reply) {
      onNote(help);
      return;
    }
    try {
      const sent = await room.post(
        reply ? { content: reply['text'] ?? '', reply_to: Number(reply['id']) } : { content: line },
      );
      if (sent.note) onNote(sent.note);
    } catch (error) {
      if (!(error instanceof RequestRefused)) throw error;
      onNote(`not posted: ${error.message}`);
    }
  }

  /** Resolves when nobody owes an answer. Rejects with `operator.no_answer` after a while. */
  async answered(timeoutMs: number): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const cancelTimer = systemClock.after(timeoutMs, () => {
      const names = this.#due.names.join(', ');
      const message = `no answer from ${names} in ${timeoutMs / 1000} s`;
      reject(new OperatorError('operator.no_answer', message));
    });
    this.#whenSettled = resolve;
    this.#check();
    await promise.finally(cancelTimer);
  }

  #check(): void {
    if (this.#due.names.length === 0) this.#whenSettled?.();
  }
}

/** Prints above what is being typed, which may be longer than a row. */
function printAbove(terminal: Interface, stream: NodeJS.WriteStream, text: string): void {
  const { rows } = terminal.getCursorPos();
  moveCursor(stream, 0, -rows);
  cursorTo(stream, 0);
  clearScreenDown(stream);
  stream.write(`${text}\n`);
  // Readline moves up by the rows it believes to be in, which after a paste are not even right.
  Object.assign(terminal, { prevRows: 0 });
  terminal.prompt(true);
}
