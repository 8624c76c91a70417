import { isRecord } from '../json.ts';

/** Whether a server runs, and what it has. `models` are chat models only. */
export type OllamaState = { running: false } | { running: true; models: readonly string[] };

/** Families of models that only make embeddings. */
const EMBEDDING_FAMILY = /bert|embed/i;

/**
 * Asks an Ollama server which chat models are installed. Never throws: a server that is away, too
 * slow or not Ollama is not running. `timeoutMs` bounds each of the two requests.
 */
export async function probeOllama(baseUrl: string, timeoutMs: number): Promise<OllamaState> {
  const version = await getJson(`${baseUrl}/api/version`, timeoutMs);
  if (!isRecord(version) || typeof version['version'] !== 'string') return { running: false };
  const tags = await getJson(`${baseUrl}/api/tags`, timeoutMs);
  const listed = isRecord(tags) && Array.isArray(tags['models']) ? tags['models'] : [];
  return { running: true, models: listed.flatMap(chatModelName) };
}

/** The installed name that `wanted` stands for: `llama3` means `llama3:latest`. */
export function findInstalled(models: readonly string[], wanted: string): string | undefined {
  return models.find((name) => name === wanted || name === `${wanted}:latest`);
}

function chatModelName(listed: unknown): string[] {
  if (!isRecord(listed) || typeof listed['name'] !== 'string') return [];
  const name = listed['name'];
  const capabilities = listed['capabilities'];
  // Newer servers say what a model can do; for older ones its family has to tell.
  if (Array.isArray(capabilities)) return capabilities.includes('completion') ? [name] : [];
  const details = listed['details'];
  const family = isRecord(details) ? String(details['family'] ?? '') : '';
  return EMBEDDING_FAMILY.test(family) || /embed/i.test(name) ? [] : [name];
}

async function getJson(url: string, timeoutMs: number): Promise<unknown> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) });
    if (response.ok) return await response.json();
    await response.body?.cancel();
    return undefined;
  } catch {
    // Refused, too slow or not JSON: all mean that there is no Ollama to use here.
    return undefined;
  }
}
