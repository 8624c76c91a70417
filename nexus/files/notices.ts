import { encodeFrame } from '#shared/frames/envelope';
import { SharedNotify } from '#shared/frames/files';
import { OutboundFrame } from '#shared/transport/frame-batch';
import { type Hub, pushTo } from '../broker/hub.ts';
import type { Journal, JournalEvent } from '../journal/journal.ts';
import { type FileShared, type FileStored, fileShared, fileStored } from './events.ts';
import type { FileStore } from './file-store.ts';
import { type StoredFile, toShared } from './stored-file.ts';

export interface NoticeDeps {
  readonly journal: Journal;
  readonly store: FileStore;
  readonly hub: Hub;
}

/**
 * Tells connected recipients of what was shared with them, and again when its bytes have arrived.
 * Operators who subscribed to the chat are told too. Whoever is away finds it in the list.
 */
export function sendNotices({ journal, store, hub }: NoticeDeps): void {
  journal.onCommit((events) => {
    for (const event of events as readonly (JournalEvent & (FileShared | FileStored))[]) {
      if (event.kind !== fileShared && event.kind !== fileStored) continue;
      const file = store.find(event.kind === fileShared ? event.position : event.body.fileId);
      if (file?.recipients) notify(hub, file, file.recipients);
    }
  });
}

function notify(hub: Hub, file: StoredFile, recipients: readonly string[]): void {
  const payload = toShared(file);
  for (const name of recipients) {
    const route = hub.find(name);
    if (route) pushTo(route, SharedNotify, payload);
  }
  if (!hub.hasSubscribers('chat')) return;
  hub.publish('chat', new OutboundFrame(encodeFrame(SharedNotify.kind, payload)));
}
