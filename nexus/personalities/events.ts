import type { Documents } from '#shared/config/personality';

export const personalityChanged = 'personality.changed';
export const centralChanged = 'personality.central_changed';

/** The actor changed an aspect's documents. Only those that changed are here. */
export interface PersonalityChanged {
  readonly kind: typeof personalityChanged;
  readonly body: Partial<Documents> & { readonly aspect: string; readonly version: number };
}

/** The actor changed what every aspect reads first. */
export interface CentralChanged {
  readonly kind: typeof centralChanged;
  readonly body: { readonly nexusMd: string; readonly version: number };
}

export type PersonalityEvent = PersonalityChanged | CentralChanged;
