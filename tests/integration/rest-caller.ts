import type { TestNexus } from './start-nexus.ts';

/** What REST answered; `body` is empty when there was none. */
export interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

export type Call = (method: string, path: string, body?: unknown) => Promise<Answer>;

/** A caller with a token, or without. A body that is a text goes out as it is. */
export function restCaller(nexus: Pick<TestNexus, 'url'>, token?: string): Call {
  return async (method, path, body) => {
    const response = await fetch(`${nexus.url}${path}`, {
      method,
      headers: token ? { authorization: `Bearer ${token}` } : {},
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>),
    };
  };
}

/** The operator's. */
export const operatorCall = (nexus: TestNexus): Call => restCaller(nexus, nexus.operatorToken());
