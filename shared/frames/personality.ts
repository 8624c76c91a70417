import { type Static, Type } from 'typebox';
import { defineFrame, type PayloadOf } from './define.ts';

const version = Type.Integer({ minimum: 0 });

/** What an aspect is told to be. */
const personalityFields = {
  aspect: Type.String(),
  /** 0: it was never given one. */
  version,
  nexus_md: Type.String(),
  soul_md: Type.String(),
  primer_md: Type.String(),
  /** The three in one, as the prompt has them. */
  composed: Type.String(),
  /** What every aspect of this Nexus reads first. */
  central_nexus_md: Type.String(),
  central_version: version,
};

export const Personality = Type.Object(personalityFields);
export type Personality = Static<typeof Personality>;

export const PersonalityGetResult = defineFrame({
  kind: 'personality.get.result',
  from: ['broker'],
  reply: 'none',
  payload: Type.Object({ ...personalityFields, updated_at: Type.Optional(Type.String()) }),
});
export type PersonalityGetResult = PayloadOf<typeof PersonalityGetResult>;

/** Reads a personality: one's own, or for the operator and admins anybody's. */
export const PersonalityGet = defineFrame({
  kind: 'personality.get',
  from: ['aspect', 'operator', 'outpost'],
  reply: PersonalityGetResult,
  payload: Type.Object({
    aspect: Type.Optional(Type.String({ maxLength: 64 })),
    /** An earlier one; the central document is always today's. */
    version: Type.Optional(Type.Integer({ minimum: 1 })),
  }),
});

export const PersonalitySetResult = defineFrame({
  kind: 'personality.set.result',
  from: ['broker'],
  reply: 'none',
  payload: Type.Object({ aspect: Type.String(), old_version: version, new_version: version }),
});

/** Changes the documents that are given. What changes nothing makes no new version. */
export const PersonalitySet = defineFrame({
  kind: 'personality.set',
  from: ['aspect', 'operator', 'outpost'],
  reply: PersonalitySetResult,
  payload: Type.Object({
    aspect: Type.Optional(Type.String({ maxLength: 64 })),
    nexus_md: Type.Optional(Type.String()),
    soul_md: Type.Optional(Type.String()),
    primer_md: Type.Optional(Type.String()),
    /** Refused with `conflict` unless this is still the version. */
    if_version: Type.Optional(version),
  }),
});

/** An aspect's personality, or the central document, has changed. Counts from its next turn. */
export const PersonalityRefresh = defineFrame({
  kind: 'personality.refresh',
  from: ['broker'],
  reply: 'none',
  payload: Personality,
});
