/** Colours, what all elements have, the stages, and the place of what matters now. */

const LIGHT = `
  --jppl-own-bg: #ffffff; --jppl-own-bg2: #f4f5f6; --jppl-own-fg: #1f2328; --jppl-own-border: #d5d9de;
  --jppl-own-accent: #1565c0; --jppl-link: #0d5bb5; --jppl-good: #1b7f3b; --jppl-warn: #9a5b00; --jppl-bad: #b3261e; --jppl-bad-fill: #b3261e;
  --jppl-grid: rgba(0, 0, 0, 0.09); --jppl-depth: 60%;
  --jppl-series-0: #0072b2; --jppl-series-1: #c4510a; --jppl-series-2: #00805f; --jppl-series-3: #a8327f;
  --jppl-series-4: #7a6200; --jppl-series-5: #4b4bb8; --jppl-series-6: #2f8fc4; --jppl-series-baseline: #7b7f85; --jppl-series-ensemble: #16191d;
`;
const DARK = `
  --jppl-own-bg: #16181b; --jppl-own-bg2: #212428; --jppl-own-fg: #e6e8ea; --jppl-own-border: #3a3f45;
  --jppl-own-accent: #1976d2; --jppl-link: #7fbcff; --jppl-good: #5fcf86; --jppl-warn: #efb04f; --jppl-bad: #ff8a80; --jppl-bad-fill: #c62f26;
  --jppl-grid: rgba(255, 255, 255, 0.1); --jppl-depth: 42%;
  --jppl-series-0: #56b4e9; --jppl-series-1: #f2a057; --jppl-series-2: #3fcfa4; --jppl-series-3: #e58ac4;
  --jppl-series-4: #e3cb4b; --jppl-series-5: #aaa6ff; --jppl-series-6: #9bd6f7; --jppl-series-baseline: #9aa0a8; --jppl-series-ensemble: #ffffff;
`;

export const FRAME = `
.jppl-root { ${LIGHT} }
@media (prefers-color-scheme: dark) {
  html:not([theme]) body:not([data-jp-theme-light], [data-vscode-theme-kind]) .jppl-root, :host .jppl-root { ${DARK} }
}
body:is([data-jp-theme-light='false'], [data-vscode-theme-kind='vscode-dark'], [data-vscode-theme-kind='vscode-high-contrast']) .jppl-root,
html[theme='dark'] .jppl-root { ${DARK} }
.jppl-root {
  --jppl-bg: var(--jp-layout-color1, var(--jppl-own-bg));
  --jppl-bg2: var(--jp-layout-color2, var(--jppl-own-bg2));
  --jppl-fg: var(--jp-ui-font-color1, var(--jppl-own-fg));
  --jppl-muted: color-mix(in srgb, var(--jppl-fg) 76%, var(--jppl-bg));
  --jppl-border: var(--jp-border-color2, var(--jppl-own-border));
  --jppl-accent: var(--jp-brand-color1, var(--jppl-own-accent));
  /* Behind white text; the brand's colour is too light for that in dark themes. */
  --jppl-fill: var(--jp-accept-color-normal, var(--jppl-own-accent));
  --jppl-edge: color-mix(in srgb, var(--jppl-fg) 30%, var(--jppl-bg));
  --jppl-field: color-mix(in srgb, var(--jppl-fg) 42%, var(--jppl-bg));
  --jppl-faint: 0.6;
  --jppl-size: var(--jp-ui-font-size1, 13px);
  --jppl-small: calc(var(--jppl-size) * 0.88);
  --jppl-mono: var(--jp-code-font-family, ui-monospace, monospace);
  container: jppl / inline-size;
  position: relative; box-sizing: border-box; height: 100%; overflow: auto; display: flex; flex-direction: column;
  font: var(--jppl-size) / 1.45 var(--jp-ui-font-family, system-ui, -apple-system, 'Segoe UI', sans-serif);
  color: var(--jppl-fg); background: var(--jppl-bg); font-variant-numeric: tabular-nums;
  text-align: start; overflow-wrap: break-word;
}
/* VS Code and Colab: ipywidgets brings JupyterLab's variables there, those of its light theme; their own are right. */
body[data-vscode-theme-kind] .jppl-root {
  --jppl-bg: var(--vscode-editor-background); --jppl-fg: var(--vscode-editor-foreground);
  --jppl-accent: var(--vscode-textLink-foreground); --jppl-link: var(--vscode-textLink-foreground);
  --jppl-mono: var(--vscode-editor-font-family); font-family: var(--vscode-font-family);
}
html[theme] .jppl-root {
  --jppl-bg: var(--colab-primary-surface-color, var(--jppl-own-bg)); --jppl-fg: var(--colab-primary-text-color, var(--jppl-own-fg));
  --jppl-accent: var(--jppl-own-accent);
}
:is(body[data-vscode-theme-kind], html[theme]) .jppl-root {
  --jppl-bg2: color-mix(in srgb, var(--jppl-fg) 6%, var(--jppl-bg)); --jppl-border: color-mix(in srgb, var(--jppl-fg) 20%, var(--jppl-bg));
  --jppl-fill: var(--jppl-own-accent);
}
.jppl-root *, .jppl-root *::before, .jppl-root *::after { box-sizing: border-box; }
.jppl-root :is(h2, h3, h4, p, ul, ol, dl, dd, figure, blockquote, fieldset) { margin: 0; padding: 0; border: 0; min-width: 0; }
.jppl-root :is(ul, ol) { list-style: none; }
/* What VS Code gives tables, and JupyterLab lists of terms, in an output. */
.jppl-root :is(table, thead, tbody, tr) { background: none; font-weight: inherit; text-align: inherit; vertical-align: inherit; }
.jppl-root.jppl-root :is(dl, dt, dd) { float: none; width: auto; }
.jppl-root.jppl-root dl { overflow: visible; }
.jppl-root :is(button, input, select, textarea) { font: inherit; color: inherit; margin: 0; }
.jppl-root [hidden] { display: none !important; }
.jppl-root :focus-visible { outline: 2px solid var(--jppl-accent); outline-offset: 1px; }
.jppl-root h3:focus-visible { outline: none; }
.jppl-root code { font-family: var(--jppl-mono); font-size: 0.92em; color: inherit; background: none; border: 0; padding: 0; }
.jppl-visually-hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.jppl-muted { color: var(--jppl-muted); }
.jppl-num, .jppl-numeric { font-variant-numeric: tabular-nums; }
.jppl-icon { vertical-align: -3px; flex: none; }
.jppl-swatch { display: inline-block; width: 10px; height: 10px; border-radius: 2px; margin-inline-end: 6px; flex: none; }

/* head and stages */
.jppl-head { display: flex; flex-wrap: wrap; align-items: baseline; gap: 2px 12px; padding: 10px 16px 0; }
.jppl-root .jppl-title { font-size: calc(var(--jppl-size) * 1.08); font-weight: 600; line-height: 1.3; overflow-wrap: anywhere; }
.jppl-connection { font-size: var(--jppl-small); color: var(--jppl-muted); }
.jppl-dot { display: inline-block; width: 7px; height: 7px; border-radius: 50%; background: var(--jppl-good); margin-inline-end: 5px; }
.jppl-offline { color: var(--jppl-warn); }
.jppl-offline .jppl-dot { background: var(--jppl-warn); }
.jppl-timeline { padding: 8px 10px 0; border-bottom: 1px solid var(--jppl-border); }
.jppl-timeline ol { display: grid; grid-template-columns: repeat(8, minmax(0, 1fr)); }
.jppl-timeline li { position: relative; }
.jppl-timeline li + li::before {
  content: ''; position: absolute; top: 16px; left: calc(-50% + 14px); right: calc(50% + 14px); height: 1px; background: var(--jppl-border);
}
.jppl-timeline button {
  display: grid; justify-items: center; gap: 1px; width: 100%; padding: 6px 2px 7px; border: 0; background: none; cursor: pointer;
  border-bottom: 2px solid transparent; position: relative; grid-template-columns: minmax(0, 1fr);
}
.jppl-timeline button:disabled { cursor: default; color: var(--jppl-muted); }
.jppl-timeline button:not(:disabled):hover { background: var(--jppl-bg2); }
.jppl-shown button { border-bottom-color: var(--jppl-accent) !important; }
.jppl-stage-name { font-size: var(--jppl-small); max-width: 100%; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.jppl-current .jppl-stage-name { font-weight: 600; }
.jppl-stage-time { font-size: calc(var(--jppl-size) * 0.8); color: var(--jppl-muted); min-height: 1.4em; white-space: nowrap; }
.jppl-sign {
  display: grid; place-items: center; width: 20px; height: 20px; border-radius: 50%; border: 1.5px solid var(--jppl-border);
  background: var(--jppl-bg); color: var(--jppl-muted); z-index: 1;
}
.jppl-sign .jppl-icon { width: 13px; height: 13px; vertical-align: 0; }
.jppl-sign-COMPLETED { border-color: var(--jppl-good); color: var(--jppl-good); }
.jppl-sign-FAILED { border-color: var(--jppl-bad); color: var(--jppl-bad); }
.jppl-sign-stopped { border-color: var(--jppl-warn); color: var(--jppl-warn); }
.jppl-sign-WAITING_CONFIRMATION { border-color: var(--jppl-accent); }
.jppl-sign-WAITING_CONFIRMATION::after { content: ''; width: 9px; height: 9px; border-radius: 50%; background: var(--jppl-accent); }
.jppl-sign-IN_PROGRESS { border-color: var(--jppl-accent); border-right-color: transparent; animation: jppl-turn 1.1s linear infinite; }
@keyframes jppl-turn { to { transform: rotate(1turn); } }

/* what matters now, and the conversation beside it */
.jppl-root > * { flex: none; }
.jppl-root > .jppl-body { flex: 1 0 auto; }
.jppl-body { display: grid; grid-template-columns: minmax(0, 1fr); align-content: start; }
.jppl-main { padding: 14px 16px 24px; display: grid; grid-template-columns: minmax(0, 1fr); gap: 14px; align-content: start; min-width: 0; }
.jppl-side { padding: 12px 16px 16px; border-top: 1px solid var(--jppl-border); display: grid; grid-template-columns: minmax(0, 1fr); gap: 10px; align-content: end; min-width: 0; }
.jppl-stage { display: grid; grid-template-columns: minmax(0, 1fr); gap: 12px; min-width: 0; }
.jppl-stage > * { min-width: 0; }
.jppl-stage-head { display: flex; flex-wrap: wrap; gap: 8px 16px; align-items: center; justify-content: space-between; }
.jppl-root .jppl-stage-head h3, .jppl-root .jppl-empty h3 { font-size: calc(var(--jppl-size) * 1.54); font-weight: 600; line-height: 1.25; letter-spacing: -0.005em; }
.jppl-lead { font-size: calc(var(--jppl-size) * 1.06); max-width: 76ch; text-wrap: pretty; overflow-wrap: anywhere; }
.jppl-section { display: grid; grid-template-columns: minmax(0, 1fr); gap: 8px; min-width: 0; }
.jppl-section-head { display: flex; gap: 10px; align-items: baseline; }
.jppl-root .jppl-section-head h4 { flex: none; max-width: 100%; overflow-wrap: anywhere; font-size: var(--jppl-size); font-weight: 600; }
.jppl-hint { font-size: var(--jppl-small); color: var(--jppl-muted); }
.jppl-quote { border-inline-start: 3px solid var(--jppl-border) !important; padding-inline-start: 10px !important; max-width: 76ch; overflow-wrap: anywhere; }
.jppl-note { padding: 7px 10px !important; border: 1px solid var(--jppl-border) !important; border-inline-start-width: 3px !important; border-radius: 3px; overflow-wrap: anywhere; max-width: 92ch; }
.jppl-note-warn { border-inline-start-color: var(--jppl-warn) !important; }
.jppl-note.jppl-note-bad { border-inline-start-color: var(--jppl-bad) !important; }
.jppl-note-bad:not(.jppl-note) { color: var(--jppl-bad); }
.jppl-root > .jppl-note { margin: 8px 16px 0; }
.jppl-problem { display: flex; gap: 12px; justify-content: space-between; align-items: baseline; }
.jppl-warnings { display: grid; gap: 4px; }
.jppl-warnings li { padding-inline-start: 14px; position: relative; max-width: 92ch; overflow-wrap: anywhere; }
.jppl-warnings li::before { content: ''; position: absolute; left: 0; top: 0.5em; width: 7px; height: 7px; border-radius: 1px; background: var(--jppl-warn); }
`;
