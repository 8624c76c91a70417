import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { dataKey, legacyKey, newDataKey, type Sealed, seal, unseal } from './seal.ts';

/** Bytes that count up from a number. */
const counting = (from: number, length: number): Buffer =>
  Buffer.from(Array.from({ length }, (_, i) => from + i));

const mail = { name: 'mail.é', kind: 'imap' };
const plain = '{"host":"mail.test","user":"ü","password":"p\\"w"}';

suite('a seal', () => {
  test('of version 1 is the reference’s: sealed by Python’s cryptography, opened here', () => {
    const key = legacyKey(counting(0, 32));
    assert.equal(
      key.toString('hex'),
      '4540ccbab4371dd4271a8cc7f67aee36687e799660769779a428084a2fc36d30',
    );
    const sealed: Sealed = {
      version: 1,
      nonce: counting(100, 12),
      data: Buffer.from(
        'b181ef2dae4760a59e7f1815043f7ba095f928d60d1f9b7b19dd43f9f5654daed4803d7ea53c9b247184' +
          'e9e9eac00f0503f367b974bc374ae374891c3608408c6898a0c1665b3da95dbe36f68fabff69f685fca6f7' +
          'cd8c0e321b133075ed1891ece2c4666613e8c49b7136f8d5fb382b27bc10b7a676da9258c88beb',
        'hex',
      ),
    };
    const text =
      '{"api_shape":"anthropic","base_url":"https://api.example.test",' +
      '"key":"sk-vector-é-1","default_model":"m-1"}';
    assert.equal(unseal(sealed, key, { name: 'any', kind: 'provider' }), text);
    assert.equal(unseal(sealed, key, { name: 'other', kind: 'jira' }), text, 'it is bound to none');
  });

  test('of version 2 is AES-256-GCM over the text, with version, kind and name as its AAD', () => {
    const sealed: Sealed = {
      version: 2,
      nonce: counting(200, 12),
      data: Buffer.from(
        '6a5a09b4f5b8d91a56517ed772289f7193f3ce84261edb419f8b01c3192d89c5eefc4bd5e16845d856dd' +
          '7e85c04b2397fdcc9c99b7b911080252d062a078e6f46131',
        'hex',
      ),
    };
    assert.equal(unseal(sealed, counting(0, 32), mail), plain);
  });

  test('does not open under another name, kind, key or version, nor when a bit changed', () => {
    const key = newDataKey();
    const sealed = seal(plain, key, mail);
    assert.equal(unseal(sealed, key.bytes, mail), plain);
    const flipped = (bytes: Buffer, at: number) => {
      const copy = Buffer.from(bytes);
      copy.writeUInt8(copy.readUInt8(at) ^ 1, at);
      return copy;
    };
    const { nonce, data } = sealed;
    const attempts: [Sealed, Buffer, typeof mail][] = [
      [sealed, key.bytes, { ...mail, name: 'mail' }],
      [sealed, key.bytes, { ...mail, kind: 'jira' }],
      [sealed, newDataKey().bytes, mail],
      [{ ...sealed, version: 1 }, key.bytes, mail],
      [{ ...sealed, nonce: flipped(nonce, 0) }, key.bytes, mail],
      [{ ...sealed, data: flipped(data, 0) }, key.bytes, mail],
      [{ ...sealed, data: flipped(data, data.length - 1) }, key.bytes, mail],
      [{ ...sealed, data: data.subarray(0, -1) }, key.bytes, mail],
      [{ ...sealed, data: Buffer.alloc(0) }, key.bytes, mail],
    ];
    for (const attempt of attempts) {
      assert.throws(() => unseal(...attempt), { code: 'vault.does_not_open' });
    }
  });

  test('is another one each time, and carries the id of its key', () => {
    const key = dataKey(counting(0, 32));
    const [first, second] = [seal(plain, key, mail), seal(plain, key, mail)];
    assert.notDeepEqual(first.nonce, second.nonce);
    assert.notDeepEqual(first.data, second.data);
    assert.equal(first.keyId, key.id);
    assert.match(key.id, /^[0-9a-f]{16}$/);
    assert.ok(!key.bytes.toString('hex').includes(key.id));
    assert.throws(() => dataKey(counting(0, 31)), { code: 'vault.bad_key' });
  });
});
