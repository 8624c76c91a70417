import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { type Frame, RawClient } from '../raw-client.ts';
import { fits, integer, is, object, positive, type Rule, text } from './shape.ts';

export interface SiteOptions {
  /** Base address: `http(s)` or `ws(s)`. */
  readonly url: string;
  /** The operator's token. */
  readonly token: string;
  /** Accept a certificate that the system does not know. */
  readonly insecure?: boolean;
}

/** A check that this broker cannot be put to; the message says why. */
export class Skip extends Error {}

/** The broker under test, and connections to it that end with the check. */
export class Site {
  /** Base address, `http` or `https`. */
  readonly url: string;
  readonly token: string;
  readonly insecure: boolean;
  readonly #open: RawClient[] = [];

  constructor({ url, token, insecure = false }: SiteOptions) {
    this.url = url
      .replace(/^ws/, 'http')
      .replace(/\/+$/, '')
      .replace(/\/connect$/, '');
    this.token = token;
    this.insecure = insecure;
  }

  /** A name that nobody had before. */
  newName(): string {
    return `probe-${randomUUID().slice(0, 12)}`;
  }

  async connect(token = this.token): Promise<RawClient> {
    const client = await RawClient.connect(this.url, token, {
      rejectUnauthorized: !this.insecure,
    });
    this.#open.push(client);
    return client;
  }

  /** The operator, who hears all chat. */
  async listener(): Promise<RawClient> {
    const operator = await this.connect();
    const ack = object({ kind: is('subscribe.chat') });
    await ask(operator, 'subscribe.chat', {}, 'subscribe.ack', ack);
    return operator;
  }

  /** A new aspect's token. Skips where the broker does not issue any over REST. */
  async tokenFor(name: string, rights: object = {}): Promise<string> {
    const response = await fetch(`${this.url}/api/admin/tokens`, {
      method: 'POST',
      headers: { authorization: `Bearer ${this.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ name, ...rights }),
    });
    if (response.status !== 201)
      throw new Skip(`no token to be had for an aspect: HTTP ${response.status}`);
    return ((await response.json()) as { token: string }).token;
  }

  /** A new aspect, registered. */
  async aspect(
    name = this.newName(),
    more: object = {},
  ): Promise<{ client: RawClient; name: string }> {
    const client = await this.connect(await this.tokenFor(name));
    await ask(client, 'register', registration(name, more), 'register.ack', registerAck);
    return { client, name };
  }

  async close(): Promise<void> {
    await Promise.all(this.#open.splice(0).map((client) => client.close()));
  }
}

/** What `register.ack` holds. */
export const registerAck = object({
  heartbeat_interval_s: positive,
  stale_after_s: positive,
  'nexus_id?': text,
  'head_id?': integer,
});

export const registration = (name: string, more: object = {}): object => ({
  name,
  session_id: `session-of-${name}`,
  context_mode: 'stateless',
  provider: 'conformance',
  port: 0,
  pid: 0,
  started_at: '2026-06-01T08:00:00Z',
  capabilities: null,
  home: '',
  ...more,
});

/** Sends a request; its answer must be of a kind and have a shape. Returns the payload. */
export async function ask(
  client: RawClient,
  kind: string,
  payload: unknown,
  answerKind: string,
  shape: Rule,
): Promise<Record<string, unknown>> {
  const answer = await client.request(kind, payload);
  checkEnvelope(answer);
  assert.equal(
    answer.kind,
    answerKind,
    `${kind} was answered ${JSON.stringify(answer).slice(0, 300)}`,
  );
  fits(answerKind, answer.payload, shape);
  return answer.payload ?? {};
}

/** The request must be refused by `<kind>.error`; `code` is checked where the broker sends codes. */
export async function refused(
  client: RawClient,
  kind: string,
  payload: unknown,
  code?: string,
): Promise<void> {
  const answer = await client.request(kind, payload);
  checkEnvelope(answer);
  assert.equal(answer.kind, `${kind}.error`, JSON.stringify(answer).slice(0, 300));
  const { error, code: given } = answer.payload ?? {};
  assert.ok(typeof error === 'string' && error !== '', 'an error has a text for people');
  if (code) assert.equal(given, code, error);
}

/** The next push of a kind that fits. */
export async function push(
  client: RawClient,
  kind: string,
  fit: (payload: Record<string, unknown>) => boolean,
  shape: Rule,
): Promise<Record<string, unknown>> {
  const frame = await client.next((each) => each.kind === kind && fit(each.payload ?? {}), kind);
  checkEnvelope(frame);
  assert.equal(frame['in_reply_to'], undefined, 'a push answers nothing');
  fits(kind, frame.payload, shape);
  return frame.payload ?? {};
}

function checkEnvelope(frame: Frame): void {
  const known = ['kind', 'id', 'in_reply_to', 'ts', 'payload', 'target_aspect'];
  const unknown = Object.keys(frame).filter((key) => !known.includes(key));
  assert.deepEqual(unknown, [], 'members of the envelope');
  assert.ok(!Number.isNaN(Date.parse(String(frame['ts']))), 'every frame has a time');
}
