import { Readable } from 'node:stream';
import { FrameRefused } from '#shared/frames/errors';
import type { FileService } from '../files/file-service.ts';
import { nameIn } from '../files/paths.ts';
import type { Resource } from './app.ts';

/** The bytes of files that do not fit a frame. Who may have them is decided by the service. */
export function fileRoutes(files: FileService): Resource {
  const route = '/api/files/:id{[0-9]{1,15}}/content';
  return (app) => {
    app.put(route, async (c) => {
      const id = Number(c.req.param('id'));
      const length = c.req.header('content-length');
      const { body, signal } = c.req.raw;
      // Not cancelled when it is refused half way: that would cut off the answer too.
      const source = body?.values({ preventCancel: true }) ?? [];
      try {
        const stored = await files.upload(
          c.var.identity.name,
          id,
          source,
          length === undefined ? undefined : Number(length),
        );
        return c.json({ id, size: stored.size, sha256: stored.sha256 }, 201);
      } catch (error) {
        if (!signal.aborted) throw error;
        throw new FrameRefused('bad_request', 'the upload was broken off');
      }
    });

    app.get(route, async (c) => {
      const id = Number(c.req.param('id'));
      const { file, content, stream } = await files.open(c.var.identity.name, id);
      c.header('Content-Type', file.mimeType ?? 'application/octet-stream');
      c.header('Content-Length', String(content.size));
      c.header('Content-Disposition', attachment(nameIn(file.path)));
      c.header('Cache-Control', 'private, no-store');
      // Nothing that an aspect wrote may run as a page of ours.
      c.header('Content-Security-Policy', 'sandbox');
      c.header('X-Content-Type-Options', 'nosniff');
      if (c.req.method !== 'HEAD') return c.body(Readable.toWeb(stream) as ReadableStream);
      stream.destroy();
      return c.body(null);
    });
  };
}

/** Never shown in the browser, and saved under the last name of its path (RFC 6266). */
function attachment(name: string): string {
  const plain = name.replaceAll(/[^A-Za-z0-9._ -]/g, '_');
  const full = encodeURIComponent(name).replaceAll(
    /['()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16)}`,
  );
  return `attachment; filename="${plain}"; filename*=UTF-8''${full}`;
}
