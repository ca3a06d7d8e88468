// Builds the front end: the ES modules that pages and notebooks load go to jupyter_pipeline/static, JupyterLab's plugin to
// jupyter_pipeline/labextension. Types are not looked at here (`npm run check` does that), so JupyterLab's own packages,
// which JupyterLab brings along when the plugin runs, need not be installed.
import { build } from 'esbuild';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

process.chdir(dirname(fileURLToPath(import.meta.url)));
const { dependencies, version } = JSON.parse(readFileSync('package.json', 'utf8'));
const STATIC = '../jupyter_pipeline/static';
const entries = { client: 'src/client/index.ts', view: 'src/view/index.tsx', widget: 'src/widget/index.ts' };

// What is bundled, as its licences want it to be told wherever it is handed on.
const parts = Object.keys(dependencies).map(name => {
  const { version: versionInfo, license: licenseId } = JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8'));
  return { name, versionInfo, licenseId, extractedText: readFileSync(`node_modules/${name}/LICENSE`, 'utf8') };
});
const banner = { js: `/*! This file has parts of:\n${parts.map(part => `\n${part.name} ${part.versionInfo}\n\n${part.extractedText}`).join('')}*/` };

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
for (const [name, path] of Object.entries(entries)) {
  await build({
    ...common,
    banner: name === 'client' ? {} : banner, // which has no parts of others
    entryPoints: { [name]: path },
    minify: true,
    outdir: STATIC
  });
}

// One file for the plugin; what JupyterLab shares stays an import, and the builder makes it one of the host's.
await build({
  ...common,
  entryPoints: { index: 'src/lab/index.ts' },
  external: ['@jupyterlab/*', '@lumino/*', '@jupyter/*', '@jupyter-widgets/*', 'react', 'react-dom'],
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

// JupyterLab's list of licences; its builder sees of the plugin one file without packages.
const list = '../jupyter_pipeline/labextension/static/third-party-licenses.json';
const listed = JSON.parse(readFileSync(list, 'utf8'));
writeFileSync(list, `${JSON.stringify({ ...listed, packages: [...listed.packages, ...parts] }, null, 2)}\n`);

// Written last: whoever asks whether the built files are newer than their sources looks at this one.
writeFileSync(join(STATIC, 'build.json'), `${JSON.stringify({ version })}\n`);
for (const name of readdirSync(STATIC).filter(name => name.endsWith('.js'))) {
  console.log(`${name.padEnd(12)} ${(statSync(join(STATIC, name)).size / 1024).toFixed(1)} KiB`);
}
