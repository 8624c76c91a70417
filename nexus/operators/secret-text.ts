import { hash, randomBytes } from 'node:crypto';

/** A secret that is shown once: 32 random bytes, fit for a URL and for a cookie. */
export const newSecret = (): string => randomBytes(32).toString('base64url');

/** All that is kept of one. Looking it up compares no secret byte by byte. */
export const secretHash = (secret: string): string => `sha256:${hash('sha256', secret, 'hex')}`;
