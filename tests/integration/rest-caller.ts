import type { TestNexus } from './start-nexus.ts';

export interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

/** A caller with a token: `call('POST', '/aspects/register', body)`. */
export function restCaller(nexus: Pick<TestNexus, 'url'>, token?: string) {
  return async (method: string, path: string, body?: unknown): Promise<Answer> => {
    const response = await fetch(`${nexus.url}${path}`, {
      method,
      headers: token ? { authorization: `Bearer ${token}` } : {},
      ...(body !== undefined && {
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
    });
    return {
      status: response.status,
      body: (await response.json()) as Record<string, unknown>,
    };
  };
}
