import { FrameRefused } from '#shared/frames/errors';
import { type Identity, isAdmin } from '../credentials/identity.ts';

/** Throws `FrameRefused` for everybody but operators and admins. */
export function assertAdmin(identity: Identity): void {
  if (!isAdmin(identity)) throw new FrameRefused('forbidden', 'admin_required');
}
