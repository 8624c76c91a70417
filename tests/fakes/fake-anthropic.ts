import { cutBytes, type Script, ScriptedServer } from './scripted-server.ts';

const ROUTE = 'POST /v1/messages';
export const FAKE_MODEL = 'claude-fake-1';

interface Answer {
  texts: readonly string[];
  stopReason?: string;
  /** Size of the pieces in which the bytes go out; unset sends one event at a time. */
  bytesPerPiece?: number;
}

/** Speaks the streaming Messages API as documented, with the answers that a test asks for. */
export class FakeAnthropic {
  readonly server: ScriptedServer;

  constructor(server: ScriptedServer) {
    this.server = server;
  }

  static async start(): Promise<FakeAnthropic> {
    return new FakeAnthropic(await ScriptedServer.start());
  }

  /** A complete answer. */
  answers({ texts, stopReason = 'end_turn', bytesPerPiece }: Answer): void {
    const events = [...opening(), ...texts.map(textDelta), ...closing(stopReason)];
    this.#stream(bytesPerPiece === undefined ? events : cutBytes(events.join(''), bytesPerPiece));
  }

  /** An answer that begins with `texts` and then breaks. */
  breaks(texts: readonly string[], how: 'cut' | 'ended' | 'silent' | 'malformed'): void {
    const events = [...opening(), ...texts.map(textDelta)];
    if (how === 'malformed') events.push('event: content_block_delta\ndata: {"type":"content\n\n');
    this.#stream(events, how === 'cut' ? 'cut' : how === 'silent' ? 'hold' : 'close');
  }

  /** An answer that begins with `texts` and then reports an error of this type. */
  failsInStream(texts: readonly string[], type: string, message: string): void {
    const error = event('error', { error: { type, message } });
    this.#stream([...opening(), ...texts.map(textDelta), error]);
  }

  /** A refusal before any stream. */
  refuses(status: number, message: string, headers: Record<string, string> = {}): void {
    this.server.on(ROUTE, {
      status,
      headers: { 'content-type': 'application/json', ...headers },
      pieces: [JSON.stringify({ type: 'error', error: { type: typeOf(status), message } })],
    });
  }

  /** Takes the request and never says anything. */
  staysSilent(): void {
    this.server.on(ROUTE, { answered: false });
  }

  #stream(pieces: Script['pieces'] & object, then: 'close' | 'cut' | 'hold' = 'close'): void {
    this.server.on(ROUTE, { headers: { 'content-type': 'text/event-stream' }, pieces, then });
  }
}

function event(type: string, data: object): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`;
}

function opening(): string[] {
  return [
    event('message_start', {
      message: {
        id: 'msg_1',
        type: 'message',
        role: 'assistant',
        content: [],
        model: FAKE_MODEL,
        stop_reason: null,
        stop_sequence: null,
        usage: {
          input_tokens: 11,
          cache_creation_input_tokens: 5,
          cache_read_input_tokens: 7,
          output_tokens: 1,
        },
      },
    }),
    event('content_block_start', { index: 0, content_block: { type: 'thinking', thinking: '' } }),
    event('content_block_delta', {
      index: 0,
      delta: { type: 'thinking_delta', thinking: 'not part of the answer' },
    }),
    event('content_block_stop', { index: 0 }),
    event('content_block_start', { index: 1, content_block: { type: 'text', text: '' } }),
    event('ping', {}),
  ];
}

function textDelta(text: string): string {
  return event('content_block_delta', { index: 1, delta: { type: 'text_delta', text } });
}

function closing(stopReason: string): string[] {
  return [
    event('content_block_stop', { index: 1 }),
    event('message_delta', {
      delta: { stop_reason: stopReason, stop_sequence: null },
      usage: { output_tokens: 42 },
    }),
    event('message_stop', {}),
  ];
}

function typeOf(status: number): string {
  const types: Record<number, string> = {
    400: 'invalid_request_error',
    401: 'authentication_error',
    403: 'permission_error',
    404: 'not_found_error',
    429: 'rate_limit_error',
    504: 'timeout_error',
    529: 'overloaded_error',
  };
  return types[status] ?? 'api_error';
}
