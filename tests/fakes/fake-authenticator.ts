import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

export interface Answering {
  readonly challenge: string;
  readonly origin: string;
  readonly rpId?: string;
  /** Whether the person was recognised, not only there. */
  readonly isVerified?: boolean;
}

const sha256 = (data: Buffer | string): Buffer => createHash('sha256').update(data).digest();
const text = (data: Buffer): string => data.toString('base64url');

/** A passkey in memory that does what a test says, right or wrong. ES256, no attestation. */
export class FakeAuthenticator {
  readonly id = randomBytes(16);
  counter = 0;
  readonly #key: KeyObject;
  readonly #x: Buffer;
  readonly #y: Buffer;

  constructor() {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
    this.#key = privateKey;
    this.#x = Buffer.from(x, 'base64url');
    this.#y = Buffer.from(y, 'base64url');
  }

  /** What a browser sends after `navigator.credentials.create`. */
  attest(asked: Answering): object {
    const length = Buffer.alloc(2);
    length.writeUInt16BE(this.id.length);
    const data = Buffer.concat([
      this.#head(asked, 0x40),
      Buffer.alloc(16),
      length,
      this.id,
      // {1: 2, 3: -7, -1: 1, -2: x, -3: y}
      Buffer.from('a50102032620012158' + '20', 'hex'),
      this.#x,
      Buffer.from('225820', 'hex'),
      this.#y,
    ]);
    // {"fmt": "none", "attStmt": {}, "authData": data}
    const object = Buffer.concat([
      Buffer.from('a363666d74646e6f6e656761747453746d74a068617574684461746158', 'hex'),
      Buffer.from([data.length]),
      data,
    ]);
    return this.#credential({
      clientDataJSON: text(clientData('webauthn.create', asked)),
      attestationObject: text(object),
      transports: ['internal'],
    });
  }

  /** What a browser sends after `navigator.credentials.get`. */
  assert(asked: Answering): object {
    const data = this.#head(asked, 0);
    const client = clientData('webauthn.get', asked);
    const signature = sign('sha256', Buffer.concat([data, sha256(client)]), this.#key);
    return this.#credential({
      clientDataJSON: text(client),
      authenticatorData: text(data),
      signature: text(signature),
    });
  }

  #head({ rpId = 'localhost', isVerified = true }: Answering, flags: number): Buffer {
    const counter = Buffer.alloc(4);
    counter.writeUInt32BE(this.counter);
    return Buffer.concat([
      sha256(rpId),
      Buffer.from([flags | 0x01 | (isVerified ? 0x04 : 0)]),
      counter,
    ]);
  }

  #credential(response: object): object {
    const id = text(this.id);
    return {
      id,
      rawId: id,
      type: 'public-key',
      authenticatorAttachment: 'platform',
      clientExtensionResults: {},
      response,
    };
  }
}

function clientData(type: string, { challenge, origin }: Answering): Buffer {
  return Buffer.from(JSON.stringify({ type, challenge, origin, crossOrigin: false }));
}
