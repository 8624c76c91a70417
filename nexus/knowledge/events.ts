export const knowledgeStored = 'knowledge.stored';
export const knowledgeShared = 'knowledge.shared';

/** The actor wrote their entry on a topic. The first one's position is the entry's id. */
export interface KnowledgeStored {
  readonly kind: typeof knowledgeStored;
  readonly body: {
    readonly topic: string;
    readonly content: string;
    /** Present only when the actor may decide it; absent keeps what is. */
    readonly shared?: boolean;
  };
}

/** The actor showed an entry to everybody, or stopped that. */
export interface KnowledgeShared {
  readonly kind: typeof knowledgeShared;
  readonly body: { readonly id: number; readonly shared: boolean };
}

export type KnowledgeEvent = KnowledgeStored | KnowledgeShared;
