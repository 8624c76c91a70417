#!/usr/bin/env node
// Checked before anything else is loaded: better-sqlite3 crashes older Nodes instead of failing.
const needed = [22, 18] as const;
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

if (major < needed[0] || (major === needed[0] && minor < needed[1])) {
  console.error(
    `nexus needs Node ${needed.join('.')} or newer and this is ${process.version}; ` +
      'install a current Node, or run it with npm start in a checkout, which brings its own',
  );
  process.exitCode = 2;
} else {
  const { main } = await import('./main.ts');
  process.exitCode = await main(process.argv.slice(2));
}
