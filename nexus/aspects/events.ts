export const aspectMinted = 'aspect.minted';
export const aspectRetired = 'aspect.retired';
export const aspectResurrected = 'aspect.resurrected';

/** An aspect (new when the version is 1) got a keyfile; every one before it is void. */
export interface AspectMinted {
  readonly kind: typeof aspectMinted;
  readonly body: {
    readonly name: string;
    readonly version: number;
    /** Ed25519, in base64. The private half is known to nobody but the keyfile. */
    readonly publicKey: string;
    /** Recorded at the first mint only. */
    readonly provider: string;
    readonly model: string;
  };
}

/** An aspect may not come in any more, with whatever it holds. */
export interface AspectRetired {
  readonly kind: typeof aspectRetired;
  readonly body: {
    readonly name: string;
    /** A placeholder, for one that never had a keyfile, only tokens. */
    readonly publicKey?: string;
  };
}

/** It may again, once a keyfile was minted: the key is a placeholder that nobody has. */
export interface AspectResurrected {
  readonly kind: typeof aspectResurrected;
  readonly body: { readonly name: string; readonly version: number; readonly publicKey: string };
}

export type AspectEvent = AspectMinted | AspectRetired | AspectResurrected;
