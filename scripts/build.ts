// Emits `dist/` from the sources.
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, rmSync } from 'node:fs';

rmSync('dist', { recursive: true, force: true });
const { status } = spawnSync('tsc', ['-p', 'tsconfig.build.json'], {
  stdio: 'inherit',
  shell: true,
});
if (status === 0) {
  chmodSync('dist/nexus/cmd/nexus.js', 0o755);
  // The pages are what they are.
  cpSync('nexus/operators/page', 'dist/nexus/operators/page', { recursive: true });
}
process.exitCode = status ?? 1;
