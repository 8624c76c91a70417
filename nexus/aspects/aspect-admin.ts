import type { AspectView, MintView } from './aspect-view.ts';
import type { MintRequest } from './registry.ts';

/** Who has an identity: through a running broker, or on the data directory of one that is not. */
export interface AspectAdmin {
  /** Where aspects reach the broker, as far as that is known. */
  readonly brokerUrl: string | undefined;
  mint(request: MintRequest): Promise<MintView>;
  list(): Promise<AspectView[]>;
  retire(name: string): Promise<AspectView>;
  resurrect(name: string): Promise<AspectView>;
  close(): Promise<void>;
}
