import type { Statement } from 'better-sqlite3';
import type { JournalEvent, Projection } from '../../journal/journal.ts';
import type { Database } from '../../storage/database.ts';
import { type McpProfileSet, mcpProfileSet } from '../events.ts';

/** The aspects' MCP profiles, placeholders intact, as a table derived from the journal. */
export class ProfileStore implements Projection {
  readonly kinds = [mcpProfileSet];
  readonly tables = ['mcp_profiles'];
  readonly #set: Statement;
  readonly #find: Statement;

  constructor({ writer, reader }: Database) {
    this.#set = writer.prepare(
      `INSERT INTO mcp_profiles (aspect_name, profile, updated_at) VALUES (?, ?, ?)
       ON CONFLICT (aspect_name) DO UPDATE
       SET profile = excluded.profile, updated_at = excluded.updated_at`,
    );
    this.#find = reader.prepare('SELECT profile FROM mcp_profiles WHERE aspect_name = ?').pluck();
  }

  apply(events: readonly JournalEvent[]): void {
    for (const { at, body } of events as readonly (JournalEvent & McpProfileSet)[]) {
      this.#set.run(body.aspect, body.profile, new Date(at).toISOString());
    }
  }

  find(aspect: string): string | undefined {
    return this.#find.get(aspect) as string | undefined;
  }
}
