import { fileURLToPath } from 'node:url';

/** The runtime's program, in the form that is running: source or built. */
export function aspectProgram(): string {
  const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
  return fileURLToPath(new URL(`../../runtime/cmd/aspect${extension}`, import.meta.url));
}
