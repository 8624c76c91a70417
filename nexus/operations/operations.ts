import type { Clock } from '#shared/sys/clock';
import type { NewId } from '#shared/sys/ids';

/** Something that an admin asked for and that takes its time. */
export interface Operation {
  readonly id: string;
  readonly action: string;
  readonly status: 'running' | 'ok' | 'error';
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly endedAt?: number;
  /** Why it failed, for people. */
  readonly error?: string;
}

export interface OperationsDeps {
  readonly clock: Clock;
  readonly newId: NewId;
  /** Records kept; the oldest go first. */
  readonly maxRecords?: number;
}

/** Records of operations, for the life of this process (auth spec §9.2). */
export class Operations {
  readonly #deps: OperationsDeps;
  readonly #maxRecords: number;
  readonly #byId = new Map<string, Operation>();

  constructor(deps: OperationsDeps) {
    this.#deps = deps;
    this.#maxRecords = deps.maxRecords ?? 256;
  }

  /** Begins one. */
  start(action: string): Operation {
    const { clock, newId } = this.#deps;
    const operation: Operation = {
      id: newId(),
      action,
      status: 'running',
      startedAt: clock.now(),
    };
    this.#byId.set(operation.id, operation);
    const [oldest] = this.#byId.keys();
    if (oldest !== undefined && this.#byId.size > this.#maxRecords) this.#byId.delete(oldest);
    return operation;
  }

  /** Ends one, well or with what went wrong. */
  end(id: string, error?: string): void {
    const operation = this.#byId.get(id);
    if (operation?.status !== 'running') return;
    const endedAt = this.#deps.clock.now();
    const outcome =
      error === undefined ? { status: 'ok' as const } : { status: 'error' as const, error };
    this.#byId.set(id, { ...operation, ...outcome, endedAt });
  }

  find(id: string): Operation | undefined {
    return this.#byId.get(id);
  }
}
