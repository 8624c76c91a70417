import type { CommandModule, InferredOptionTypes, Options } from 'yargs';
import { ask } from '../operator/ask.ts';
import { findBroker } from '../operator/broker-access.ts';
import { chatRoom } from '../operator/chat-room.ts';
import { renderChat } from '../operator/message-view.ts';
import { clientFlags } from './flags.ts';

const flags = {
  ...clientFlags,
  timeout: { type: 'number', default: 120, describe: 'seconds to wait for the answers' },
  'reply-to': { type: 'number', describe: 'id of a message; continues its thread' },
} as const satisfies Record<string, Options>;

type Flags = InferredOptionTypes<typeof flags> & { text: string[] };

/** `nexus chat [text]`: one question and its answers, or the whole room. */
export const command: CommandModule<object, Flags> = {
  command: 'chat [text..]',
  describe: 'talk to the team; without text, sit in the room',
  builder: (yargs) =>
    yargs
      .options(flags)
      .positional('text', { type: 'string', array: true, default: [] as string[] })
      .example('$0 chat "@wren what do you think of BUILD.md?"', 'asks and waits for the answer')
      .example('$0 chat', 'shows the room live and sends what you type'),
  async handler(argv) {
    const access = findBroker(argv['data-dir'], argv);
    const view = { json: argv.json, stream: process.stdout };
    const timeoutMs = argv.timeout * 1000;
    const onNote = (note: string) => console.error(`nexus: ${note}`);
    const text = argv.text.join(' ').trim();
    if (text === '') {
      await chatRoom(access, { ...view, input: process.stdin, timeoutMs, onNote });
      return;
    }
    await ask(access, {
      text,
      replyTo: argv['reply-to'],
      timeoutMs,
      onAnswer: (message) => console.log(renderChat(view, message)),
      onNote,
    });
  },
};
