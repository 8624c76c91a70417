import { FrameRefused } from '#shared/frames/errors';
import { AspectTurn, type Turn } from '#shared/frames/turns';
import type { Connection } from '../broker/connection.ts';
import { aside, type Handler } from '../broker/handler.ts';
import { speakerOf } from '../broker/speaker.ts';
import type { Journal } from '../journal/journal.ts';
import type { TurnService } from './turn-service.ts';

/** Bytes of an answer, so that its frame stays below what readers accept (1 MiB). */
const maxAnswerBytes = 1_000_000;

/** The operator asked an aspect (`aspect`) for a turn. */
const turnAsked = 'turn.asked';

/** Turns at an operator's request. */
export function turnHandlers(turns: TurnService, journal: Journal): Handler[] {
  return [
    aside(AspectTurn, async (payload, connection) => {
      const { aspect } = payload;
      const request = turnOf(payload);
      const body = { aspect, promptBytes: Buffer.byteLength(request.prompt) };
      await journal.append({ kind: turnAsked, actor: speakerOf(connection), body });
      const outcome = await whileConnected(connection, (signal) =>
        turns.send(aspect, request, { signal }),
      );
      const answer = {
        aspect: outcome.aspect,
        output: outcome.output,
        stop_reason: outcome.stopReason,
        tokens: outcome.tokens,
        entry_ids: [...outcome.entryIds],
      };
      const bytes = Buffer.byteLength(JSON.stringify(answer));
      if (bytes <= maxAnswerBytes) return answer;
      throw new FrameRefused('too_large', `${outcome.aspect} answered with ${bytes} bytes`);
    }),
  ];
}

/** Only what a `turn` carries. */
function turnOf(payload: Turn): Turn {
  const { prompt, system_prompt, model, thinking_level, max_tokens } = payload;
  return {
    prompt,
    ...(system_prompt && { system_prompt }),
    ...(model && { model }),
    ...(thinking_level && { thinking_level }),
    ...(max_tokens && { max_tokens }),
  };
}

/** Runs something that is aborted when the peer leaves. */
async function whileConnected<T>(
  connection: Connection,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const gone = new AbortController();
  const stay = connection.onClose(() =>
    gone.abort(new FrameRefused('cancelled', 'whoever asked went away')),
  );
  try {
    return await run(gone.signal);
  } finally {
    stay();
  }
}
