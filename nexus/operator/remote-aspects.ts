import type { AspectAdmin } from '../aspects/aspect-admin.ts';
import type { AspectView, MintView } from '../aspects/aspect-view.ts';
import type { MintRequest } from '../aspects/registry.ts';
import type { BrokerAccess } from './broker-access.ts';
import { OperatorError } from './errors.ts';
import { noBroker } from './room.ts';

/** The aspects of a running broker, over its REST side. Methods reject with `OperatorError`. */
export class RemoteAspects implements AspectAdmin {
  readonly brokerUrl: string;
  readonly #token: string;

  constructor({ url, token }: BrokerAccess) {
    this.brokerUrl = url.replace(/^ws/, 'http').replace(/(\/connect)?\/*$/, '');
    this.#token = token;
  }

  mint({ name, publicKey, provider, model }: MintRequest): Promise<MintView> {
    const aspect_pubkey_b64 = Buffer.from(publicKey).toString('base64');
    return this.#call('/mint', { name, aspect_pubkey_b64, provider, model });
  }

  async list(): Promise<AspectView[]> {
    const { aspects } = await this.#call<{ aspects: AspectView[] }>('');
    return aspects;
  }

  retire(name: string): Promise<AspectView> {
    return this.#call('/retire', { name });
  }

  resurrect(name: string): Promise<AspectView> {
    return this.#call('/resurrect', { name });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  async #call<Answer>(path: string, body?: object): Promise<Answer> {
    const headers = { authorization: `Bearer ${this.#token}`, 'content-type': 'application/json' };
    const request = body ? { method: 'POST', headers, body: JSON.stringify(body) } : { headers };
    const url = `${this.brokerUrl}/api/admin/aspects${path}`;
    const response = await fetch(url, request).catch((cause) => {
      throw noBroker(new Error(`cannot reach ${this.brokerUrl}`, { cause }));
    });
    // A broker that is none of ours may answer with anything.
    const answer = (await response.json().catch(() => ({}))) as Answer & { error?: string };
    if (response.ok) return answer;
    throw new OperatorError('operator.refused', answer.error ?? `${url}: HTTP ${response.status}`);
  }
}
