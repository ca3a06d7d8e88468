// Bundles the ES modules that pages and notebooks load; JupyterLab's own plugin is bundled by jupyter-builder.
import { build } from 'esbuild';
import { existsSync } from 'node:fs';

const entries = { client: 'src/client/index.ts', view: 'src/view/index.tsx', widget: 'src/widget/index.ts' };

await build({
  entryPoints: Object.fromEntries(Object.entries(entries).filter(([, path]) => existsSync(path))),
  outdir: '../jupyter_pipeline/static',
  bundle: true,
  format: 'esm',
  jsx: 'automatic',
  jsxImportSource: 'preact',
  legalComments: 'linked',
  loader: { '.svg': 'text' },
  minify: true,
  target: 'es2022'
});
