import { Type } from 'typebox';
import { defineFrame, type PayloadOf } from './define.ts';

/** Which program runs an aspect. */
export const Surface = Type.Enum(['funnel', 'agora']);

export const SwitchSurfaceResult = defineFrame({
  kind: 'switch.surface.result',
  from: ['broker'],
  reply: 'none',
  payload: Type.Object({
    aspect: Type.String(),
    primary_surface: Surface,
    /** What it registered with, if it said. */
    previous_surface: Type.Optional(Type.String()),
  }),
});

/** An aspect will run as another program from now on. After the answer its socket is closed. */
export const SwitchSurface = defineFrame({
  kind: 'switch.surface',
  from: ['aspect', 'outpost'],
  reply: SwitchSurfaceResult,
  payload: Type.Object({
    primary_surface: Surface,
    /** Ours: who switches, where several aspects share the connection. */
    aspect: Type.Optional(Type.String({ maxLength: 64 })),
  }),
});
export type SwitchSurface = PayloadOf<typeof SwitchSurface>;
