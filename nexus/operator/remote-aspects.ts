import type { AspectAdmin } from '../aspects/aspect-admin.ts';
import type { AspectView, MintView } from '../aspects/aspect-view.ts';
import type { MintRequest } from '../aspects/registry.ts';
import type { BrokerAccess } from './broker-access.ts';
import { callBroker } from './rest-client.ts';

/** The aspects of a running broker, over its REST side. Methods reject with `OperatorError`. */
export class RemoteAspects implements AspectAdmin {
  readonly brokerUrl: string;
  readonly #access: BrokerAccess;

  constructor(access: BrokerAccess) {
    this.brokerUrl = access.url.replace(/^ws/, 'http').replace(/(\/connect)?\/*$/, '');
    this.#access = access;
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
    const method = body ? 'POST' : 'GET';
    return (await callBroker(this.#access, method, `/api/admin/aspects${path}`, body)) as Answer;
  }
}
