// Builds the front end: the ES modules that pages and notebooks load go to jupyter_pipeline/static, JupyterLab's plugin to
// jupyter_pipeline/labextension. Types are not looked at here (`npm run check` does that), so JupyterLab's own packages,
// which JupyterLab brings along when the plugin runs, need not be installed.
import { build } from 'esbuild';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

process.chdir(dirname(fileURLToPath(import.meta.url)));
const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
const STATIC = '../jupyter_pipeline/static';
const entries = { client: 'src/client/index.ts', view: 'src/view/index.tsx', widget: 'src/widget/index.ts' };

const common = {
  bundle: true,
  define: { __VERSION__: JSON.stringify(version) },
  format: 'esm',
  jsx: 'automatic',
  jsxImportSource: 'preact',
  loader: { '.css': 'text', '.svg': 'text' },
  logLevel: 'warning',
  target: 'es2022'
};

for (const folder of [STATIC, 'build']) {
  rmSync(folder, { recursive: true, force: true });
}
mkdirSync(STATIC, { recursive: true });
await build({
  ...common,
  entryPoints: Object.fromEntries(Object.entries(entries).filter(([, path]) => existsSync(path))),
  legalComments: 'linked',
  minify: true,
  outdir: STATIC
});

// One file for the plugin; what JupyterLab shares stays an import, and the builder makes it one of the host's.
await build({
  ...common,
  entryPoints: { index: 'src/lab/index.ts' },
  external: ['@jupyterlab/*', '@lumino/*', '@jupyter/*', '@jupyter-widgets/*', 'react', 'react-dom'],
  legalComments: 'inline',
  outdir: 'build/lab',
  splitting: true
});
const builder = spawnSync(
  process.execPath,
  [
    'node_modules/@jupyter/builder/lib/build-labextension.js',
    '--core-package-file',
    'node_modules/@jupyterlab/core-meta/core.package.json',
    '.'
  ],
  { encoding: 'utf8' }
);
if (builder.status !== 0) {
  console.error(builder.stdout, builder.stderr);
  process.exit(1);
}

// Written last: whoever asks whether the built files are newer than their sources looks at this one.
writeFileSync(join(STATIC, 'build.json'), `${JSON.stringify({ version })}\n`);
for (const name of readdirSync(STATIC).filter(name => name.endsWith('.js'))) {
  console.log(`${name.padEnd(12)} ${(statSync(join(STATIC, name)).size / 1024).toFixed(1)} KiB`);
}
