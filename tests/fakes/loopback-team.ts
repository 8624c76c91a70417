import { LoopbackProvider } from '#runtime/providers/loopback/loopback-provider';
import type { Message, ProviderRequest } from '#runtime/providers/provider';

/** The documents of three aspects, as an operator might write them. */
const DOCUMENTS = {
  keel: `# NEXUS

You are keel. You turn what the operator wants into work for the others.

- Name one owner for every piece of work.
- Say what "done" means before work begins.`,
  wren: `# NEXUS

You are wren, and you review what the team makes. You read every change to the end.

- Name the risk of a cache first, then the **remedy**.
- Approve only what you have read.

# SOUL

Exact and kind.`,
  anvil: `# NEXUS

You are anvil. You build things: pages, services, scripts.

- Start with the smallest thing that runs.
- Write the test beside the code.`,
};

export type TeamName = keyof typeof DOCUMENTS;
export const TEAM: readonly TeamName[] = ['keel', 'wren', 'anvil'];

/** A system prompt as the runtime composes it. */
export function systemOf(name: TeamName): string {
  return `${DOCUMENTS[name]}

---

You are ${name}, one of the aspects of this Nexus.
Your team: keel (coordinator), wren (reviewer), anvil (builder)

- Mention a teammate as @name.`;
}

/** A chat message as the runtime renders it. */
export function heard(from: string, content: string, id = 41): Message {
  return userMessage(`[message ${id} from ${from} in thread 41]\n${content}`);
}

export function said(text: string): Message {
  return { role: 'assistant', content: [{ type: 'text', text }] };
}

export function requestTo(name: TeamName, messages: readonly Message[]): ProviderRequest {
  return { system: systemOf(name), messages, signal: new AbortController().signal };
}

/** What an aspect answers to the last of these messages. */
export async function answerOf(name: TeamName, ...messages: Message[]): Promise<string> {
  let text = '';
  for await (const delta of new LoopbackProvider().stream(requestTo(name, messages))) {
    if (delta.type === 'text') text += delta.text;
  }
  return text;
}

function userMessage(text: string): Message {
  return { role: 'user', content: [{ type: 'text', text }] };
}
