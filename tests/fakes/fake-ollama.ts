import { cutBytes, type Script, ScriptedServer } from './scripted-server.ts';

const ROUTE = 'POST /api/chat';
export const FAKE_MODEL = 'fake:latest';

interface Answer {
  texts: readonly string[];
  doneReason?: string;
  /** Size of the pieces in which the bytes go out; unset sends one line at a time. */
  bytesPerPiece?: number;
}

/** Speaks Ollama's chat API as documented, with the answers that a test asks for. */
export class FakeOllama {
  readonly server: ScriptedServer;

  constructor(server: ScriptedServer) {
    this.server = server;
  }

  static async start(): Promise<FakeOllama> {
    return new FakeOllama(await ScriptedServer.start());
  }

  /** Says that it runs, with these models. */
  has(models: readonly object[]): void {
    this.server.on('GET /api/version', json(200, { version: '0.40.0' }));
    this.server.on('GET /api/tags', json(200, { models }));
  }

  /** Takes the question whether it runs, and never answers. */
  isStuck(): void {
    this.server.on('GET /api/version', { answered: false });
  }

  /** A complete answer. */
  answers({ texts, doneReason = 'stop', bytesPerPiece }: Answer): void {
    const lines = [...texts.map(piece), lastPiece(doneReason)];
    this.#stream(bytesPerPiece === undefined ? lines : cutBytes(lines.join(''), bytesPerPiece));
  }

  /** An answer that begins with `texts` and then breaks. */
  breaks(texts: readonly string[], how: 'cut' | 'ended' | 'silent' | 'malformed'): void {
    const lines = texts.map(piece);
    if (how === 'malformed') lines.push('{"model":"fake","mess\n', lastPiece('stop'));
    this.#stream(lines, how === 'cut' ? 'cut' : how === 'silent' ? 'hold' : 'close');
  }

  /** An answer that begins with `texts` and then reports an error. */
  failsInStream(texts: readonly string[], message: string): void {
    this.#stream([...texts.map(piece), `${JSON.stringify({ error: message })}\n`]);
  }

  /** A refusal before any stream. */
  refuses(status: number, message: string, headers: Record<string, string> = {}): void {
    this.server.on(ROUTE, json(status, { error: message }, headers));
  }

  /** Takes the request and never says anything. */
  staysSilent(): void {
    this.server.on(ROUTE, { answered: false });
  }

  #stream(pieces: Script['pieces'] & object, then: 'close' | 'cut' | 'hold' = 'close'): void {
    this.server.on(ROUTE, { headers: { 'content-type': 'application/x-ndjson' }, pieces, then });
  }
}

function json(status: number, body: object, headers: Record<string, string> = {}): Script {
  return {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
    pieces: [JSON.stringify(body)],
  };
}

function piece(content: string): string {
  return line({ message: { role: 'assistant', content }, done: false });
}

function lastPiece(doneReason: string): string {
  return line({
    message: { role: 'assistant', content: '' },
    done: true,
    done_reason: doneReason,
    total_duration: 5_000_000,
    prompt_eval_count: 11,
    eval_count: 42,
  });
}

function line(rest: object): string {
  return `${JSON.stringify({ model: FAKE_MODEL, created_at: '2026-01-01T00:00:00Z', ...rest })}\n`;
}
