import { type Static, Type } from 'typebox';

const optionalText = Type.Optional(Type.String());
const count = Type.Integer({ minimum: 0 });
const optionalCount = Type.Optional(count);

/** What a file-changing tool call is about to do, so that observers can show a diff. */
export const TurnArtifact = Type.Object({
  kind: Type.Union([
    Type.Literal('file_edit'),
    Type.Literal('file_write'),
    Type.Literal('multi_edit'),
    Type.Literal('notebook_edit'),
  ]),
  file_path: Type.String(),
  old_text: optionalText,
  new_text: optionalText,
  edits: Type.Optional(
    Type.Array(Type.Object({ old_text: Type.String(), new_text: Type.String() })),
  ),
});
export type TurnArtifact = Static<typeof TurnArtifact>;

/** The beginning of what a tool call gave back. */
export const TurnToolResult = Type.Object({
  preview: Type.String(),
  full: optionalText,
  is_error: Type.Boolean(),
});
export type TurnToolResult = Static<typeof TurnToolResult>;

/** One step of a turn; the member named like its kind is set (`tool` for both tool kinds). */
export const TurnEvent = Type.Object({
  kind: Type.Union([
    Type.Literal('text'),
    Type.Literal('tool_call'),
    Type.Literal('tool_result_orphan'),
    Type.Literal('step'),
  ]),
  text: optionalText,
  tool: Type.Optional(
    Type.Object({
      id: Type.String(),
      name: Type.String(),
      /** Any JSON; text when the input was too large to show whole. */
      input: Type.Unknown(),
      result: Type.Optional(TurnToolResult),
      artifact: Type.Optional(TurnArtifact),
      artifact_parse_err: optionalText,
    }),
  ),
  step: Type.Optional(Type.Integer()),
});
export type TurnEvent = Static<typeof TurnEvent>;

export const TurnUsage = Type.Object({
  input_tokens: count,
  output_tokens: count,
  cache_read: optionalCount,
  cache_create: optionalCount,
  duration_ns: count,
  cost_usd: Type.Optional(Type.Number()),
});
export type TurnUsage = Static<typeof TurnUsage>;

const opening = {
  label: Type.String(),
  /** RFC 3339, as all times here. */
  started: Type.String(),
  trigger_msg: Type.Optional(Type.Integer({ minimum: 1 })),
  model: optionalText,
  provider: optionalText,
};

const outcome = {
  ended: optionalText,
  error: optionalText,
  usage: Type.Optional(TurnUsage),
};

const TurnStatus = Type.Union([
  Type.Literal('in_flight'),
  Type.Literal('complete'),
  Type.Literal('errored'),
]);

/** A turn as far as it has come. Replaces whatever is known of the same `turn_id`. */
export const TurnSnapshot = Type.Object({
  turn_id: Type.String(),
  ...opening,
  status: TurnStatus,
  ...outcome,
  events: Type.Array(TurnEvent),
});
export type TurnSnapshot = Static<typeof TurnSnapshot>;

/** Ours: what changed in a turn (G13). At most one of the three `append…` and `result` is set. */
export const TurnDelta = Type.Object({
  turn_id: Type.String(),
  /** Opens the turn, in flight and without events. */
  begin: Type.Optional(Type.Object(opening)),
  /** More of the last event's text. */
  append_text: optionalText,
  append_event: Type.Optional(TurnEvent),
  /** The result of the tool call at place `event` of `events`, counted from 0. */
  result: Type.Optional(Type.Object({ event: count, result: TurnToolResult })),
  /** Members of the turn to replace. */
  set: Type.Optional(Type.Object({ status: Type.Optional(TurnStatus), ...outcome })),
});
export type TurnDelta = Static<typeof TurnDelta>;

/**
 * The turn after a change. Changes `turn` in place and returns it; a `begin` makes a new one. Keeps
 * nothing of the delta that it would change later. Returns undefined for a change of another turn.
 */
export function applyTurnDelta(
  turn: TurnSnapshot | undefined,
  delta: TurnDelta,
): TurnSnapshot | undefined {
  const { turn_id, begin, append_text, append_event, result, set } = delta;
  const changed: TurnSnapshot | undefined = begin
    ? { turn_id, ...begin, status: 'in_flight', events: [] }
    : turn;
  if (changed?.turn_id !== turn_id) return undefined;
  const last = changed.events.at(-1);
  if (append_text !== undefined && last) last.text = (last.text ?? '') + append_text;
  if (append_event) changed.events.push(copyOf(append_event));
  const tool = result && changed.events[result.event]?.tool;
  if (tool) tool.result = result.result;
  return Object.assign(changed, set);
}

const copyOf = (event: TurnEvent): TurnEvent =>
  event.tool ? { ...event, tool: { ...event.tool } } : { ...event };
