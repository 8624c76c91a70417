import type { ChatDeliver } from '#shared/frames/chat';
import type { Clock } from '#shared/sys/clock';
import type { NewId } from '#shared/sys/ids';
import type { Log } from '#shared/sys/log';
import { type Provider, ProviderError } from '../providers/provider.ts';
import { type AnswerDelta, streamWithRetry } from '../providers/retry.ts';
import { buildContext } from '../session/context.ts';
import type { EntryOf } from '../session/entry.ts';
import type { SessionTree } from '../session/session-tree.ts';
import { renderMessage, type SystemPrompt } from './prompt.ts';

export interface DeliberationDeps {
  readonly provider: Provider;
  readonly model?: string | undefined;
  /** Longest time for one answer, retries included. */
  readonly turnTimeoutMs: number;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly log: Log;
}

/** What a deliberation came to. A blank text means: nothing to say. */
export interface Verdict {
  readonly text: string;
}

type UserEntry = EntryOf<'turn.user'>;
type Done = Extract<AnswerDelta, { type: 'done' }>;

/**
 * Thinks about one message, on its session's tree: every step is durable there before the next
 * begins. A message that was finished before a crash gets the answer it had then; one that was
 * begun is begun again where it stood. Throws `ProviderError` when the model fails.
 */
export async function deliberate(
  message: ChatDeliver,
  tree: SessionTree,
  prompt: SystemPrompt,
  deps: DeliberationDeps,
  signal: AbortSignal,
): Promise<Verdict> {
  const finished = tree.findByTrigger(message.id);
  if (finished) return { text: finished.payload.text };
  const turn = await beginTurn(message, tree, prompt, deps.newId);
  try {
    return await answer(tree, turn, deps, signal);
  } catch (error) {
    if (error instanceof ProviderError) await recordFailure(tree, turn, deps.provider, error.code);
    throw error;
  }
}

/** Records a turn that ends without asking the model, in silence. */
export async function passOver(
  message: ChatDeliver,
  tree: SessionTree,
  deps: DeliberationDeps,
): Promise<void> {
  const turn = await appendUser(message, tree, deps.newId);
  await tree.append({
    kind: 'turn.assistant',
    payload: {
      content: [],
      text: '',
      provider: deps.provider.name,
      model: deps.model ?? deps.provider.defaultModel,
      stopReason: 'end_turn',
      usage: noUsage,
      turnId: turn.payload.turnId,
    },
  });
}

const noUsage = { tokens: { in: 0, out: 0, cacheHit: 0, cacheFill: 0 } };

async function beginTurn(
  message: ChatDeliver,
  tree: SessionTree,
  prompt: SystemPrompt,
  newId: NewId,
): Promise<UserEntry> {
  const path = tree.path();
  const begun = path.findLast(
    (entry): entry is UserEntry =>
      entry.kind === 'turn.user' && entry.payload.trigger.msgId === message.id,
  );
  if (begun) {
    // What the failed attempt added stays on a branch of its own.
    if (tree.head !== begun.id) await tree.setHead(begun.id);
    return begun;
  }
  const current = path.findLast((entry) => entry.kind === 'system.prompt');
  if (current?.payload.sha256 !== prompt.sha256) {
    const reason = current ? 'changed' : 'first';
    await tree.append({ kind: 'system.prompt', payload: { ...prompt, reason } });
  }
  return appendUser(message, tree, newId);
}

async function appendUser(
  message: ChatDeliver,
  tree: SessionTree,
  newId: NewId,
): Promise<UserEntry> {
  const text = renderMessage(message);
  const { id, from, thread_root } = message;
  const entry = await tree.append({
    kind: 'turn.user',
    payload: {
      content: [{ type: 'text', text }],
      text,
      trigger: { source: 'chat', from, msgId: id, threadRoot: thread_root ?? id },
      turnId: newId(),
    },
  });
  return entry as UserEntry;
}

async function answer(
  tree: SessionTree,
  turn: UserEntry,
  deps: DeliberationDeps,
  signal: AbortSignal,
): Promise<Verdict> {
  const { provider, model, clock, log } = deps;
  const timeout = new AbortController();
  const deadlineMs = clock.monotonic() + deps.turnTimeoutMs;
  const cancelTimer = clock.after(deps.turnTimeoutMs, () => timeout.abort(turnTimedOut(deps)));
  try {
    const stream = streamWithRetry(
      provider,
      {
        ...buildContext(tree.path()),
        ...(model && { model }),
        signal: AbortSignal.any([signal, timeout.signal]),
      },
      {
        clock,
        deadlineMs,
        onRetry: ({ retry, delayMs, error }) =>
          log.warn({ retry, delayMs, code: error.code }, 'asking the provider again'),
      },
    );
    const { text, done } = await collect(stream);
    await tree.append({
      kind: 'turn.assistant',
      payload: {
        content: text === '' ? [] : [{ type: 'text', text }],
        text,
        provider: provider.name,
        model: done.model,
        stopReason: done.stopReason,
        usage: done.usage,
        turnId: turn.payload.turnId,
        ...(done.error && { errorCode: done.error.code, partial: true }),
      },
    });
    if (done.error) throw done.error;
    return { text };
  } finally {
    cancelTimer();
  }
}

async function collect(stream: AsyncIterable<AnswerDelta>): Promise<{ text: string; done: Done }> {
  let text = '';
  for await (const delta of stream) {
    if (delta.type === 'done') return { text, done: delta };
    text += delta.text;
  }
  throw new ProviderError('provider', 'the answer ended without its end', { retryable: true });
}

/** An attempt that said nothing; a broken-off one has already recorded what it said. */
async function recordFailure(
  tree: SessionTree,
  turn: UserEntry,
  provider: Provider,
  errorCode: string,
): Promise<void> {
  if (tree.head !== turn.id) return;
  await tree.append({
    kind: 'turn.assistant',
    payload: {
      content: [],
      text: '',
      provider: provider.name,
      model: provider.defaultModel,
      stopReason: 'error',
      usage: noUsage,
      errorCode,
      turnId: turn.payload.turnId,
    },
  });
}

const turnTimedOut = ({ turnTimeoutMs }: DeliberationDeps) =>
  new ProviderError('timeout', `no answer within ${turnTimeoutMs / 1000} s`, { retryable: true });
