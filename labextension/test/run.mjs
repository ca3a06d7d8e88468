// Bundles the tests beside the sources (*.test.ts), so that they import as the sources do, and runs them with Node's own runner.
import { build } from 'esbuild';
import { spawnSync } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

process.chdir(join(dirname(fileURLToPath(import.meta.url)), '..'));
const out = 'build/test';
const tests = readdirSync('src', { recursive: true })
  .map(String)
  .filter(path => path.endsWith('.test.ts'))
  .map(path => join('src', path));
rmSync(out, { recursive: true, force: true });
await build({
  entryPoints: tests,
  outdir: out,
  outbase: 'src',
  outExtension: { '.js': '.mjs' },
  bundle: true,
  define: { __VERSION__: '"test"' },
  format: 'esm',
  loader: { '.css': 'text', '.svg': 'text' },
  logLevel: 'warning',
  platform: 'node',
  sourcemap: 'inline',
  target: 'node20'
});
const files = readdirSync(out, { recursive: true })
  .map(String)
  .filter(path => path.endsWith('.test.mjs'))
  .map(path => join(out, path));
process.exit(spawnSync(process.execPath, ['--enable-source-maps', '--test', ...files], { stdio: 'inherit' }).status ?? 1);
