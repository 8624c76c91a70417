import type { ChatDeliver } from '#shared/frames/chat';
import { type Clock, systemClock } from '#shared/sys/clock';
import { AnswersDue } from './answers-due.ts';
import type { BrokerAccess } from './broker-access.ts';
import { OperatorError } from './errors.ts';
import { Room } from './room.ts';

export interface AskOptions {
  readonly text: string;
  /** Continues a thread instead of beginning one. */
  readonly replyTo?: number | undefined;
  readonly timeoutMs: number;
  /** Told about every message of the thread after ours. */
  readonly onAnswer: (message: ChatDeliver) => void;
  /** Told what is worth knowing besides answers. */
  readonly onNote: (text: string) => void;
  readonly clock?: Clock;
}

/**
 * Posts a message and waits until everyone whom it, or an answer to it, addresses has answered or
 * shown that there is nothing to say. Throws `OperatorError` when that takes too long.
 */
export async function ask(access: BrokerAccess, options: AskOptions): Promise<void> {
  const { text, replyTo, timeoutMs, onAnswer, onNote, clock = systemClock } = options;
  const settled = Promise.withResolvers<void>();
  let due: AnswersDue | undefined;
  let ownId = 0;
  let ownSeen = false;
  // What comes before we know our own message's id.
  const early: ChatDeliver[] = [];

  const take = (message: ChatDeliver) => {
    if (!due) early.push(message);
    else if (due.delivered(message)) {
      if (message.id > ownId) onAnswer(message);
      if (message.id === ownId) {
        ownSeen = true;
        if (due.names.length === 0) onNote('sent; it addresses nobody who is live');
      }
    }
    check();
  };
  const check = () => {
    if (due && ownSeen && due.names.length === 0) settled.resolve();
  };

  const room = await Room.enter(access, {
    message: take,
    reaction: (update) => {
      due?.reacted(update);
      check();
    },
    roster: (update) => {
      const left = due?.rosterChanged(update);
      if (left) onNote(`${left} went away`);
      check();
    },
  });
  try {
    const roster = await room.roster();
    const sent = await room.post({ content: text, ...(replyTo && { reply_to: replyTo }) });
    if (sent.note) onNote(sent.note);
    due = new AnswersDue(roster);
    due.follow(sent.thread_root);
    ownId = sent.msg_id;
    for (const message of early.splice(0)) take(message);
    const cancelTimer = clock.after(timeoutMs, () => {
      const names = due?.names.join(', ');
      settled.reject(
        new OperatorError('operator.no_answer', `no answer from ${names} in ${timeoutMs / 1000} s`),
      );
    });
    void room.closed.then(({ reason }) =>
      settled.reject(new OperatorError('operator.no_broker', `the broker left: ${reason}`)),
    );
    await settled.promise.finally(cancelTimer);
  } finally {
    await room.leave();
  }
}
