import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { newSigningPair, openingKeyOf, publicKeyOf, sealingKeyOf } from './ed25519-keys.ts';
import { openSealed, seal } from './sealed-box.ts';

/** Values made with libsodium, with its own conversions and sealed boxes. */
const known = {
  seed: '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f',
  publicKey: '03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8',
  sealingKey: '4701d08488451f545a409fb58ae3e58581ca40ac3f7f114698cd71deac73ca01',
  openingKey: '3894eea49c580aef816935762be049559d6d1440dede12e6a125f1841fff8e6f',
  emptyBox:
    'fdb23ce4b613591292d7d713e21c4ac2cb6e921d7ff9b4e52ca03d586ed60b6127f7673d4eae86427f6c6e2be65e67ad',
  /** Of "sealed with a known key", under the one-time secret c8 c9 ca … e7. */
  box:
    '4d5bab89b0733d9d8dcecf04f321c90b761b7765a6bdb2bddbfad3e7abdf1f66' +
    'b57028638442d02cc2bf62038937ea7b5cec3c90a55ec2ccdfafc8a81b9de2020c17380c4b0798',
};
const hex = (text: string): Buffer => Buffer.from(text, 'hex');
const message = Buffer.from('sealed with a known key');
const oneTime = Buffer.from(Array.from({ length: 32 }, (_, i) => 200 + i));

suite('Ed25519 keys as X25519 keys', () => {
  test('are what libsodium makes of them', () => {
    const other = {
      seed: 'f5cfcb570b7edac2ed16e1a025d50155d6148de7397f4068790cdfc142300070',
      publicKey: '84517bf0514c52fda4da24ee05eb1b792a53f7bb66faa8bf073b1c570945a673',
      sealingKey: '6c82c1a7d6644ae01ace3a44b2b85a5bc72ab73d15b0b3048723ca1b3293f26e',
      openingKey: '18339074d000e61cbac24c6af9756ff3fa295c20c4683421608735a5dd955467',
    };
    for (const each of [known, other]) {
      assert.deepEqual(Buffer.from(publicKeyOf(hex(each.seed))), hex(each.publicKey));
      assert.deepEqual(Buffer.from(sealingKeyOf(hex(each.publicKey))), hex(each.sealingKey));
      assert.deepEqual(Buffer.from(openingKeyOf(hex(each.seed))), hex(each.openingKey));
    }
  });
});

suite('sealed boxes', () => {
  const { sealingKey, openingKey } = known;
  const open = (box: Uint8Array) => openSealed(box, hex(openingKey), hex(sealingKey));

  test('made by libsodium open here', () => {
    assert.deepEqual(Buffer.from(open(hex(known.box)) ?? []), message);
    assert.equal(open(hex(known.emptyBox))?.length, 0);
  });

  test('made here are byte for byte what libsodium makes and opens', () => {
    assert.equal(Buffer.from(seal(message, hex(sealingKey), oneTime)).toString('hex'), known.box);
  });

  test('differ each time and carry 48 bytes more', () => {
    const [one, two] = [seal(message, hex(sealingKey)), seal(message, hex(sealingKey))];
    assert.notDeepEqual(one, two);
    assert.equal(one.length, message.length + 48);
    assert.deepEqual(Buffer.from(open(one) ?? []), message);
  });

  test('do not open when a byte changed, when cut, or for another key', () => {
    const box = hex(known.box);
    for (let i = 0; i < box.length; i++) {
      const changed = Buffer.from(box);
      changed[i] = (changed[i] ?? 0) ^ 1;
      assert.equal(open(changed), undefined, `byte ${i}`);
      assert.equal(open(box.subarray(0, i)), undefined, `${i} bytes`);
    }
    const other = newSigningPair();
    const keys = [openingKeyOf(other.seed), sealingKeyOf(other.publicKey)] as const;
    assert.equal(openSealed(box, ...keys), undefined);
  });

  test('with a one-time key that has no order are refused, not opened with a known secret', () => {
    const box = Buffer.concat([Buffer.alloc(32), hex(known.box).subarray(32)]);
    assert.equal(open(box), undefined);
  });
});
