/** Bytes that a close frame leaves for its reason (RFC 6455 §5.5). */
const maxReasonBytes = 123;

/** The part of a reason that a close frame can carry. Never cuts a character in two. */
export function closeReason(reason: string): string {
  const bytes = Buffer.from(reason);
  if (bytes.length <= maxReasonBytes) return reason;
  let end = maxReasonBytes;
  // Bytes of the form 10xxxxxx continue a character.
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.toString('utf8', 0, end);
}
