import type { RawMessageStreamEvent } from '@anthropic-ai/sdk/resources/messages';
import type { Delta, StopReason } from '../provider.ts';

const STOP_REASONS: Readonly<Record<string, StopReason>> = {
  end_turn: 'end_turn',
  max_tokens: 'max_tokens',
  model_context_window_exceeded: 'max_tokens',
  pause_turn: 'pause',
  refusal: 'refusal',
  stop_sequence: 'stop_sequence',
  tool_use: 'tool_use',
};

/** Token counts as events carry them. All are totals so far, and null means "not told". */
interface WireUsage {
  input_tokens: number | null;
  output_tokens: number;
  cache_read_input_tokens: number | null;
  cache_creation_input_tokens: number | null;
}

/** Reads the events of one streamed message: texts as they come, the rest at its end. */
export class AnswerReader {
  #model: string;
  #stopReason: StopReason = 'error';
  #finished = false;
  readonly #tokens = { in: 0, out: 0, cacheHit: 0, cacheFill: 0 };

  /** `requestedModel` stands in until the provider says which model answers. */
  constructor(requestedModel: string) {
    this.#model = requestedModel;
  }

  /** True once the message is complete. A stream that ends earlier was cut. */
  get finished(): boolean {
    return this.#finished;
  }

  /** Takes one event and returns the text it adds, often none. Thinking is not text. */
  read(event: RawMessageStreamEvent): string {
    switch (event.type) {
      case 'message_start':
        this.#model = event.message.model;
        this.#count(event.message.usage);
        return '';
      case 'content_block_start':
        return event.content_block.type === 'text' ? event.content_block.text : '';
      case 'content_block_delta':
        return event.delta.type === 'text_delta' ? event.delta.text : '';
      case 'message_delta':
        this.#stopReason = STOP_REASONS[event.delta.stop_reason ?? ''] ?? 'error';
        this.#count(event.usage);
        return '';
      case 'message_stop':
        this.#finished = true;
        return '';
      default:
        // The API adds kinds of events over time and asks clients to ignore them.
        return '';
    }
  }

  /** The closing delta. Only meaningful once `finished`. */
  done(): Extract<Delta, { type: 'done' }> {
    return {
      type: 'done',
      stopReason: this.#stopReason,
      usage: { tokens: { ...this.#tokens } },
      model: this.#model,
    };
  }

  #count(usage: WireUsage): void {
    this.#tokens.in = usage.input_tokens ?? this.#tokens.in;
    this.#tokens.out = usage.output_tokens;
    this.#tokens.cacheHit = usage.cache_read_input_tokens ?? this.#tokens.cacheHit;
    this.#tokens.cacheFill = usage.cache_creation_input_tokens ?? this.#tokens.cacheFill;
  }
}
