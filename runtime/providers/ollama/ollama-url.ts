import { ProviderError } from '../provider.ts';

export const DEFAULT_OLLAMA_URL = 'http://localhost:11434';
const DEFAULT_PORT = '11434';

/**
 * Where Ollama is: `configured`, else `OLLAMA_URL`, else `OLLAMA_HOST`, else the default. Accepts
 * what `OLLAMA_HOST` does (`host`, `host:port`, `:port`, a URL) and returns a URL without a
 * trailing slash.
 */
export function ollamaUrl(
  configured: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): string {
  const written = [configured, env['OLLAMA_URL'], env['OLLAMA_HOST']].find((text) => text?.trim());
  if (!written) return DEFAULT_OLLAMA_URL;
  const text = written.trim();
  const hasScheme = text.includes('://');
  const url = URL.parse(
    hasScheme ? text : `http://${text.startsWith(':') ? 'localhost' : ''}${text}`,
  );
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new ProviderError('provider', `not an address of an Ollama server: ${text}`, {
      retryable: false,
    });
  }
  if (!hasScheme && url.port === '') url.port = DEFAULT_PORT;
  // A server is told to listen on every address like this; as a destination it is not portable.
  if (url.hostname === '0.0.0.0' || url.hostname === '[::]') url.hostname = 'localhost';
  return url.href.replace(/\/+$/, '');
}
