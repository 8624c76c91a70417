/** An aspect's own texts: what it does, who it is, what to know at a cold start. */
export interface Documents {
  readonly nexusMd: string;
  readonly soulMd: string;
  readonly primerMd: string;
}

/** Their names, in the order of the prompt. */
export const documentNames = ['nexusMd', 'soulMd', 'primerMd'] as const;

export const noDocuments: Documents = { nexusMd: '', soulMd: '', primerMd: '' };

/** Whether there is nothing to read in them. */
export const areBlank = (documents: Documents): boolean =>
  documentNames.every((name) => documents[name].trim() === '');

/** One text of several, blank ones left out (auth spec §11.2). */
export const joinSections = (sections: readonly string[]): string =>
  sections.filter((section) => section.trim() !== '').join('\n\n---\n\n');

/** An aspect's documents as its prompt has them, after the central one. */
export const composeDocuments = ({ nexusMd, soulMd, primerMd }: Documents): string =>
  joinSections([nexusMd, soulMd, primerMd]);
