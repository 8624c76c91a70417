import { randomBytes } from 'node:crypto';

const maskBytes = 4;

/** A client's text message as one masked, final frame (RFC 6455 §5.3). */
export const textFrame = (text: string): Buffer => maskedFrame(0x1, Buffer.from(text));

export const pongFrame = (payload: Buffer): Buffer => maskedFrame(0xa, payload);

/** The number of bytes in front of the payload of a client's frame. */
export const clientHeaderBytes = (payloadBytes: number): number =>
  (payloadBytes < 126 ? 2 : payloadBytes <= 0xffff ? 4 : 10) + maskBytes;

function maskedFrame(opcode: number, payload: Buffer): Buffer {
  const headerBytes = clientHeaderBytes(payload.length);
  const frame = Buffer.alloc(headerBytes + payload.length);
  frame[0] = 0x80 | opcode;
  if (payload.length < 126) frame[1] = 0x80 | payload.length;
  else if (payload.length <= 0xffff) {
    frame[1] = 0x80 | 126;
    frame.writeUInt16BE(payload.length, 2);
  } else {
    frame[1] = 0x80 | 127;
    frame.writeBigUInt64BE(BigInt(payload.length), 2);
  }
  const mask = randomBytes(maskBytes);
  mask.copy(frame, headerBytes - maskBytes);
  for (const [index, byte] of payload.entries()) {
    frame[headerBytes + index] = byte ^ (mask[index % maskBytes] ?? 0);
  }
  return frame;
}
