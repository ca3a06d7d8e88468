/**
 * The view's style sheet, added once to the document or shadow root that the view is in. Colours are JupyterLab's where
 * it has set them, else this sheet's own, light or dark as the reader's system is.
 */

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

export const CSS = `
.jppl-root { ${LIGHT} }
@media (prefers-color-scheme: dark) { body:not([data-jp-theme-light]) .jppl-root, :host .jppl-root { ${DARK} } }
body[data-jp-theme-light='false'] .jppl-root { ${DARK} }
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
  --jppl-size: var(--jp-ui-font-size1, 13px);
  --jppl-small: calc(var(--jppl-size) * 0.88);
  --jppl-mono: var(--jp-code-font-family, ui-monospace, monospace);
  container: jppl / inline-size;
  position: relative; box-sizing: border-box; height: 100%; overflow: auto;
  font: var(--jppl-size) / 1.45 var(--jp-ui-font-family, system-ui, -apple-system, 'Segoe UI', sans-serif);
  color: var(--jppl-fg); background: var(--jppl-bg); font-variant-numeric: tabular-nums;
  text-align: start;
}
.jppl-root *, .jppl-root *::before, .jppl-root *::after { box-sizing: border-box; }
.jppl-root :is(h2, h3, h4, p, ul, ol, dl, dd, figure, blockquote, fieldset) { margin: 0; padding: 0; border: 0; min-width: 0; }
.jppl-root :is(ul, ol) { list-style: none; }
/* What JupyterLab gives lists of terms in an output. */
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
  border-bottom: 2px solid transparent; position: relative;
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
.jppl-body { display: grid; grid-template-columns: minmax(0, 1fr); }
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

/* controls */
.jppl-button {
  display: inline-flex; align-items: center; gap: 5px; padding: 4px 12px; min-height: 28px; border: 1px solid var(--jppl-edge);
  border-radius: 3px; background: var(--jppl-bg); cursor: pointer; white-space: nowrap;
}
.jppl-button:hover:not(:disabled, [aria-disabled='true']) { background: var(--jppl-bg2); }
.jppl-button:disabled, .jppl-button[aria-disabled='true'] { cursor: default; opacity: 0.55; }
.jppl-root .jppl-primary-button { background: var(--jppl-fill); border-color: var(--jppl-fill); color: #fff; font-weight: 600; }
.jppl-root .jppl-primary-button:hover:not(:disabled, [aria-disabled='true']) { background: color-mix(in srgb, var(--jppl-fill) 86%, #000); }
.jppl-link { border: 0; background: none; padding: 0; color: var(--jppl-link); cursor: pointer; text-align: start; overflow-wrap: anywhere; }
.jppl-root .jppl-link { color: var(--jppl-link); }
.jppl-link:hover { text-decoration: underline; }
.jppl-root .jppl-quiet { color: var(--jppl-muted); justify-self: start; }
.jppl-root .jppl-danger { background: var(--jppl-bad-fill); border-color: var(--jppl-bad-fill); color: #fff; font-weight: 600; }
.jppl-root .jppl-danger:hover:not([aria-disabled='true']) { background: color-mix(in srgb, var(--jppl-bad-fill) 86%, #000); }
.jppl-delete { display: grid; gap: 8px; justify-self: stretch; }
.jppl-actions, .jppl-documents { display: flex; flex-wrap: wrap; gap: 8px; align-items: center; }
.jppl-form { display: grid; grid-template-columns: repeat(auto-fill, minmax(160px, 1fr)); gap: 10px 16px; max-width: 900px; align-items: start; }
.jppl-field { display: grid; gap: 3px; min-width: 0; align-content: start; }
.jppl-label { font-size: var(--jppl-small); color: var(--jppl-muted); overflow-wrap: anywhere; }
.jppl-input, .jppl-select select {
  width: 100%; min-height: 28px; padding: 3px 8px; border: 1px solid color-mix(in srgb, var(--jppl-fg) 42%, var(--jppl-bg)); border-radius: 3px; background: var(--jppl-bg);
}
.jppl-root .jppl-input::placeholder { color: var(--jppl-muted); opacity: 1; }
.jppl-select { position: relative; display: block; min-width: 0; }
.jppl-select select { appearance: none; padding-inline-end: 24px; text-overflow: ellipsis; background-image: none; }
.jppl-select .jppl-icon { position: absolute; right: 6px; top: calc(50% - 7px); width: 14px; height: 14px; pointer-events: none; }
.jppl-plan { display: grid; grid-template-columns: minmax(0, 1fr); gap: 14px; }
.jppl-plan:disabled :is(.jppl-input, select) { border-color: transparent; padding-inline-start: 0; opacity: 1; color: inherit; }
.jppl-choices { display: grid; grid-template-columns: minmax(0, 1fr); gap: 6px; }
.jppl-choices legend { margin-bottom: 4px; padding: 0; }
.jppl-choice { display: flex; gap: 8px; align-items: baseline; min-width: 0; overflow-wrap: anywhere; }
.jppl-choice input { flex: none; transform: translateY(1px); accent-color: var(--jppl-accent); }
.jppl-choices .jppl-field { max-width: 170px; margin-top: 4px; }
.jppl-pair { display: grid; grid-template-columns: minmax(0, 1fr) 84px; gap: 10px; align-items: center; }
.jppl-pair input[type='range'] { width: 100%; accent-color: var(--jppl-accent); }
.jppl-why { display: block; color: var(--jppl-muted); max-width: 80ch; }
.jppl-models { border-top: 1px solid var(--jppl-border); }
.jppl-model { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: 4px 16px; align-items: baseline; padding: 7px 2px; border-bottom: 1px solid var(--jppl-border); }
.jppl-model .jppl-choice > span { flex: 1; display: grid; grid-template-columns: minmax(120px, 200px) minmax(0, 1fr); gap: 0 16px; align-items: baseline; }
.jppl-model .jppl-why { max-width: none; text-wrap: pretty; }
.jppl-model:not(.jppl-chosen) .jppl-model-name { color: var(--jppl-muted); }
.jppl-model .jppl-params { grid-column: 1 / -1; grid-template-columns: repeat(auto-fill, minmax(110px, 1fr)); padding: 2px 0 6px 26px; }
.jppl-params .jppl-label { font-family: var(--jppl-mono); font-size: calc(var(--jppl-size) * 0.82); }
.jppl-gatebar {
  position: sticky; bottom: 0; z-index: 3; display: flex; flex-wrap: wrap; gap: 8px; align-items: center; justify-content: flex-end;
  padding: 10px 12px; margin: 0 -12px; background: var(--jppl-bg); border-top: 2px solid var(--jppl-accent);
}
.jppl-gatebar-text { flex: 1 1 180px; color: var(--jppl-muted); }
.jppl-confirm { padding-inline: 22px; min-height: 32px; }
.jppl-restart { display: flex; flex-wrap: wrap; gap: 6px 12px; align-items: center; color: var(--jppl-muted); font-size: var(--jppl-small); }
.jppl-restart p { flex: 1 1 220px; }
.jppl-restart .jppl-button { color: var(--jppl-fg); }
/* Beside an open gate it is not what matters. */
.jppl-root .jppl-restart .jppl-link { font-size: inherit; text-decoration: underline; text-underline-offset: 2px; }
.jppl-root .jppl-restart .jppl-primary-button { color: #fff; }
.jppl-split { display: flex; gap: 2px; max-width: 900px; font-size: var(--jppl-small); }
.jppl-split span { flex: 1 1 0; padding: 5px 8px; overflow: hidden; white-space: nowrap; text-overflow: ellipsis; min-width: 0; border-top: 4px solid; background: var(--jppl-bg2); color: var(--jppl-fg); }
.jppl-split-train { border-color: var(--jppl-series-baseline) !important; }
.jppl-split-val { border-color: var(--jppl-series-0) !important; }
.jppl-split-test { border-color: var(--jppl-series-1) !important; }

/* tables and facts */
.jppl-scroll { overflow-x: auto; max-width: 100%; position: relative; }
.jppl-root table { border-collapse: collapse; font: inherit; font-variant-numeric: tabular-nums; margin: 0; border: 0; }
.jppl-root .jppl-table { min-width: min(100%, 460px); }
.jppl-root .jppl-leaderboard, .jppl-root .jppl-columns { width: 100%; min-width: 0; }
.jppl-root .jppl-table :is(th, td) { padding: 4px 10px 4px 0; text-align: start; vertical-align: baseline; border: 0; border-bottom: 1px solid var(--jppl-border); background: none; white-space: normal; max-width: none; font-weight: 400; }
.jppl-root .jppl-table thead th { vertical-align: bottom; font-size: var(--jppl-small); color: var(--jppl-muted); white-space: nowrap; }
.jppl-root .jppl-table tbody th { overflow-wrap: anywhere; }
.jppl-root .jppl-table :is(th, td).jppl-numeric { text-align: end; padding-inline-end: 16px; white-space: nowrap; }
.jppl-root .jppl-scroll > .jppl-table:not(.jppl-leaderboard, .jppl-columns) :is(td, th) { white-space: nowrap; max-width: 220px; overflow: hidden; text-overflow: ellipsis; }
.jppl-root .jppl-table .jppl-target { font-weight: 600; background: color-mix(in srgb, var(--jppl-accent) 9%, transparent); padding-inline-start: 8px; }
.jppl-root .jppl-leaderboard thead th.jppl-numeric { width: 1%; }
/* What is left of the width, and no more: it never makes the table wider. */
.jppl-root .jppl-leaderboard .jppl-settings { width: 40%; max-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; color: var(--jppl-muted); font-size: var(--jppl-small); font-weight: 400; }
.jppl-leaderboard td input { vertical-align: -2px; accent-color: var(--jppl-accent); }
.jppl-root .jppl-best :is(th, td) { font-weight: 600; background: color-mix(in srgb, var(--jppl-accent) 8%, transparent); }
.jppl-root .jppl-edited th { font-weight: 600; }
.jppl-edited th::after { content: ''; display: inline-block; width: 6px; height: 6px; margin-inline-start: 6px; border-radius: 50%; background: var(--jppl-accent); vertical-align: 2px; }
.jppl-badge { display: inline-block; padding: 0 6px; border: 1px solid currentColor; border-radius: 8px; font-size: calc(var(--jppl-size) * 0.8); font-weight: 600; margin-inline-start: 6px; line-height: 1.4; }
.jppl-columns tbody th bdi { display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 3; overflow: hidden; }
.jppl-columns .jppl-badge { margin: 0; }
.jppl-columns .jppl-select { width: min(210px, 42cqw); }
.jppl-values { color: var(--jppl-muted); max-width: 320px !important; overflow: hidden; text-overflow: ellipsis; white-space: nowrap !important; }
.jppl-sort { display: inline-flex; vertical-align: bottom; align-items: center; gap: 3px; border: 0; background: none; padding: 0; cursor: pointer; color: inherit; white-space: nowrap; }
/* Before the name of a column of numbers, so that the name ends where they do. */
.jppl-numeric .jppl-sort { flex-direction: row-reverse; }
.jppl-sort .jppl-icon { width: 12px; height: 12px; vertical-align: 0; }
.jppl-root [aria-sort='none'] .jppl-sort:not(:hover, :focus-visible) .jppl-icon { opacity: 0.4; }
.jppl-root :is([aria-sort='ascending'], [aria-sort='descending']) .jppl-sort { color: var(--jppl-fg); font-weight: 600; }
.jppl-row-button { border: 0; background: none; padding: 0; cursor: pointer; font-weight: inherit !important; text-align: start; }
.jppl-row-button:hover { text-decoration: underline; }
.jppl-status-failed, .jppl-root .jppl-level-error { color: var(--jppl-bad); }
.jppl-status-success { color: var(--jppl-muted); }
.jppl-reason { display: block; font-size: var(--jppl-small); color: var(--jppl-muted); max-width: 60ch; font-weight: 400; overflow-wrap: anywhere; }
.jppl-run-detail { padding: 4px 0 8px; display: grid; gap: 6px; font-weight: 400; }
.jppl-root .jppl-facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(190px, 1fr)); gap: 2px 20px; }
.jppl-facts > div { display: flex; justify-content: space-between; gap: 10px; min-width: 0; }
.jppl-root .jppl-decided { display: grid; grid-template-columns: fit-content(40%) minmax(0, 1fr); gap: 2px 14px; max-width: 90ch; }
.jppl-decided dt { color: var(--jppl-muted); font-weight: 400; }
.jppl-decided dd { overflow-wrap: anywhere; }
.jppl-facts dt { color: var(--jppl-muted); font-weight: 400; }
.jppl-facts dd { overflow-wrap: anywhere; text-align: end; }
.jppl-stats { display: flex; flex-wrap: wrap; gap: 8px 28px; }
.jppl-stat { display: grid; }
.jppl-stat-value { font-size: calc(var(--jppl-size) * 1.3); line-height: 1.2; font-variant-numeric: tabular-nums; }
.jppl-stat-label { font-size: var(--jppl-small); color: var(--jppl-muted); }
.jppl-filter { display: flex; flex-wrap: wrap; gap: 6px 10px; align-items: center; }
.jppl-root .jppl-search { width: 240px; }
.jppl-bulk { position: sticky; top: 0; z-index: 2; display: flex; flex-wrap: wrap; gap: 6px 10px; align-items: center; padding: 6px 0; background: var(--jppl-bg); }
.jppl-bulk-text { flex: 1 1 260px; min-width: 0; color: var(--jppl-muted); }
.jppl-bulk-done { flex: 1 1 100%; color: var(--jppl-muted); }
.jppl-plan:disabled :is(.jppl-bulk, .jppl-pick) { display: none; }
.jppl-root .jppl-table .jppl-pick { width: 1px; padding-inline-end: 10px; }
.jppl-pick input { accent-color: var(--jppl-accent); vertical-align: -2px; }
.jppl-root .jppl-chosen-row :is(th, td) { background: color-mix(in srgb, var(--jppl-accent) 8%, transparent); }

/* progress and curves */
.jppl-progress { display: grid; grid-template-columns: minmax(0, 1fr); gap: 10px; }
.jppl-run { display: flex; flex-wrap: wrap; align-items: center; gap: 4px 10px; }
.jppl-run .jppl-swatch { margin: 0; }
.jppl-run-name { min-width: 110px; }
.jppl-run > .jppl-num { min-width: 4.5ch; text-align: end; }
.jppl-run-what { min-width: 0; }
.jppl-meter { display: block; flex: 1 1 120px; max-width: 420px; height: 6px; border-radius: 3px; background: color-mix(in srgb, var(--jppl-fg) 14%, var(--jppl-bg)); overflow: hidden; }
/* Scaled, not widened: a width that changes lays out the page again. */
.jppl-meter > span { display: block; height: 100%; background: var(--jppl-accent); transform-origin: 0 50%; }
.jppl-unknown > span { width: 30%; animation: jppl-slide 1.4s ease-in-out infinite alternate; }
@keyframes jppl-slide { to { transform: translateX(233%); } }
@media (prefers-reduced-motion: reduce) { .jppl-root *, .jppl-root *::after { animation-duration: 4s !important; transition: none !important; } }
.jppl-curves { display: grid; grid-template-columns: minmax(0, 1fr); gap: 14px; }
.jppl-root .jppl-waiting { min-height: 120px; place-content: center; color: var(--jppl-muted); border: 1px dashed var(--jppl-border); border-radius: 4px; }
.jppl-curve { position: relative; }
.jppl-plot { height: 154px; }
.jppl-large .jppl-plot { height: 340px; }
.jppl-curve figcaption { display: flex; flex-wrap: wrap; gap: 4px 8px; align-items: baseline; padding-bottom: 2px; }
.jppl-key { margin-inline-start: auto; font-size: var(--jppl-small); color: var(--jppl-muted); display: inline-flex; gap: 5px; align-items: center; }
.jppl-key line { stroke: currentColor; stroke-width: 1.6; }
.jppl-key svg + svg, .jppl-key svg:nth-of-type(2) { margin-inline-start: 8px; }
.jppl-tip { position: absolute; z-index: 2; pointer-events: none; padding: 4px 8px; border: 1px solid var(--jppl-border); border-radius: 3px; background: var(--jppl-bg); font-size: var(--jppl-small); white-space: nowrap; }
.jppl-root .uplot, .jppl-root .u-wrap { position: relative; }
.jppl-root .u-wrap > canvas, .jppl-root .u-wrap canvas { display: block; width: 100%; height: 100%; position: absolute; inset: 0; }
.jppl-root .u-over, .jppl-root .u-under { position: absolute; }
.jppl-root .u-wrap > canvas.jppl-canvas { inset: auto; }
.jppl-root .u-wrap > canvas.jppl-canvas-labels { inset: 0; }
.jppl-root .u-under { overflow: hidden; }
.jppl-root .u-axis { position: absolute; }
.jppl-root .u-cursor-x { position: absolute; left: 0; top: 0; height: 100%; border-right: 1px solid var(--jppl-muted); opacity: 0.5; pointer-events: none; will-change: transform; }
.jppl-root .u-off, .jppl-root .u-cursor-y, .jppl-root .u-select, .jppl-root .u-hz .u-cursor-y { display: none; }

/* results */
.jppl-root .jppl-metrics { display: grid; grid-template-columns: repeat(auto-fill, minmax(118px, 1fr)); gap: 10px 20px; max-width: 900px; }
.jppl-metrics > div { display: flex; flex-direction: column-reverse; justify-content: flex-end; }
.jppl-metrics .jppl-primary { grid-row: span 2; }
.jppl-metrics dt { font-size: var(--jppl-small); color: var(--jppl-muted); font-weight: 400; }
.jppl-metrics dd { font-size: calc(var(--jppl-size) * 1.15); font-variant-numeric: tabular-nums; }
.jppl-metrics .jppl-primary dd { font-size: calc(var(--jppl-size) * 2.3); line-height: 1.1; font-weight: 600; }
.jppl-figures { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 270px), 1fr)); gap: 20px 28px; align-items: start; }
.jppl-figure { display: grid; grid-template-columns: minmax(0, 1fr); gap: 6px; }
.jppl-figure figcaption { font-weight: 600; }
.jppl-picture { max-width: 100%; min-height: 40px; display: block; background: #fff; }
.jppl-svg { width: 100%; max-width: 330px; height: auto; }
.jppl-svg-wide { max-width: 520px; }
.jppl-svg text { font-size: 10px; fill: var(--jppl-muted); }
.jppl-gridline { stroke: var(--jppl-grid); }
.jppl-chance { stroke: var(--jppl-series-baseline); stroke-dasharray: 4 3; }
.jppl-line { fill: none; stroke-width: 1.8; stroke-linejoin: round; }
.jppl-dots { stroke: var(--jppl-series-0); stroke-width: 4.5; stroke-linecap: round; stroke-opacity: 0.45; fill: none; }
.jppl-legend { display: flex; flex-wrap: wrap; gap: 2px 16px; }
.jppl-root .jppl-confusion :is(th, td) { padding: 5px 10px; text-align: center; font-weight: 400; border: 2px solid var(--jppl-bg); background: none; }
.jppl-root .jppl-confusion th { color: var(--jppl-muted); font-size: var(--jppl-small); max-width: 120px; overflow-wrap: break-word; }
.jppl-root .jppl-confusion tbody td { min-width: 66px; background: color-mix(in srgb, var(--jppl-series-0) calc(var(--jppl-share, 0) * var(--jppl-depth)), var(--jppl-bg2)); }
.jppl-root .jppl-confusion td strong, .jppl-root .jppl-confusion td span { display: block; }
.jppl-root .jppl-confusion td span { font-size: var(--jppl-small); }
.jppl-shade-room { fill: var(--jppl-bg2); }
.jppl-shade { fill: var(--jppl-series-0); }
.jppl-root .jppl-bars { display: grid; gap: 4px; max-width: 640px; }
.jppl-bars > div { display: grid; grid-template-columns: minmax(70px, 42%) minmax(0, 1fr); gap: 10px; align-items: center; }
.jppl-root .jppl-bars dt { overflow: hidden; display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; line-height: 1.25; overflow-wrap: anywhere; text-align: end; font-weight: 400; }
.jppl-root .jppl-bars dd { display: grid; grid-template-columns: minmax(0, 1fr) minmax(48px, max-content); gap: 8px; align-items: center; }
.jppl-bar-room { position: relative; display: block; height: 10px; }
.jppl-bar { position: absolute; inset: 0 auto 0 0; background: var(--jppl-series-0); border-radius: 0 2px 2px 0; min-width: 1px; }
.jppl-bar-negative { background: var(--jppl-series-baseline); }
.jppl-bar-spread { position: absolute; top: 4px; height: 2px; background: var(--jppl-fg); opacity: 0.65; }
.jppl-bar-text { font-size: var(--jppl-small); color: var(--jppl-muted); white-space: nowrap; }
.jppl-predict { display: grid; grid-template-columns: minmax(0, 1fr); gap: 12px; }
.jppl-prediction { display: grid; gap: 10px; padding-top: 4px; }
.jppl-prediction > div:first-child { display: grid; }
.jppl-predicted { font-size: calc(var(--jppl-size) * 2); line-height: 1.2; overflow-wrap: anywhere; }
.jppl-checksum { overflow-wrap: anywhere; }
.jppl-suggestions { display: grid; gap: 8px; }
.jppl-suggestions li { display: flex; gap: 12px; justify-content: space-between; align-items: start; max-width: 760px; }

/* details, history, log */
.jppl-details > summary { cursor: pointer; color: var(--jppl-muted); width: max-content; max-width: 100%; padding: 2px 0; }
.jppl-details[open] > summary { color: var(--jppl-fg); }
.jppl-details > :not(summary) { margin-top: 6px; }
.jppl-more { display: grid; grid-template-columns: minmax(0, 1fr); gap: 6px; padding-top: 10px; border-top: 1px solid var(--jppl-border); }
.jppl-root .jppl-steps { list-style: decimal; padding-inline-start: 22px; display: grid; gap: 3px; max-width: 90ch; }
.jppl-root .jppl-history { display: grid; gap: 6px; }
.jppl-history > li { display: grid; grid-template-columns: 176px minmax(0, 1fr); gap: 10px; }
.jppl-history time { white-space: nowrap; }
.jppl-history time { color: var(--jppl-muted); }
.jppl-changes { color: var(--jppl-muted); overflow-wrap: anywhere; }
.jppl-root .jppl-log { max-height: 280px; overflow: auto; font-family: var(--jppl-mono); font-size: var(--jppl-small); display: grid; gap: 2px; overflow-wrap: anywhere; }
.jppl-root .jppl-files { display: grid; gap: 2px; max-height: 300px; overflow: auto; }

/* conversation */
.jppl-root .jppl-lines { display: grid; gap: 10px; max-height: 320px; overflow: auto; align-content: start; }
.jppl-lines li { display: grid; gap: 1px; overflow-wrap: anywhere; }
.jppl-who { font-size: calc(var(--jppl-size) * 0.84); color: var(--jppl-muted); }
.jppl-text { white-space: pre-wrap; }
.jppl-mine .jppl-text { border-inline-start: 3px solid var(--jppl-accent); padding-inline-start: 8px; }
.jppl-unheard .jppl-text { border-inline-start-style: dashed; color: var(--jppl-muted); }
.jppl-theirs .jppl-text { border-inline-start: 3px solid var(--jppl-border); padding-inline-start: 8px; }
.jppl-composer { display: grid; grid-template-columns: minmax(0, 1fr); gap: 6px; }
.jppl-composer textarea { resize: none; display: block; line-height: 1.4; padding: 6px 8px; }
.jppl-composer-row { display: flex; flex-wrap: wrap; gap: 8px; justify-content: space-between; align-items: center; }
.jppl-composer-large textarea { font-size: calc(var(--jppl-size) * 1.15); padding: 10px 12px; }
.jppl-uploads { display: grid; gap: 4px; }
.jppl-uploads li { display: flex; flex-wrap: wrap; gap: 4px 10px; align-items: center; overflow-wrap: anywhere; }

/* empty, loading, dropping */
.jppl-empty { display: grid; grid-template-columns: minmax(0, 1fr); gap: 14px; max-width: 680px; margin: 0 auto; padding: clamp(20px, 9cqw, 84px) 16px 32px; }
.jppl-root .jppl-empty h3 { font-size: calc(var(--jppl-size) * 2); }
.jppl-examples { display: grid; gap: 4px; justify-items: start; }
.jppl-attached { display: grid; gap: 2px; }
.jppl-loading { display: grid; gap: 8px; padding: 28px 16px; max-width: 480px; }
.jppl-drop { position: absolute; inset: 6px; z-index: 5; display: grid; place-items: center; border: 2px dashed var(--jppl-accent); border-radius: 6px; background: color-mix(in srgb, var(--jppl-bg) 88%, transparent); font-size: calc(var(--jppl-size) * 1.4); pointer-events: none; }

/* A system's own high contrast: what is told by a filled shape keeps its colour. */
@media (forced-colors: active) {
  .jppl-swatch, .jppl-dot, .jppl-bar, .jppl-split span, .jppl-root .jppl-confusion tbody td { forced-color-adjust: none; }
  .jppl-meter { border: 1px solid CanvasText; }
  .jppl-meter > span { background: Highlight; forced-color-adjust: none; }
  .jppl-sign-WAITING_CONFIRMATION::after { background: Highlight; forced-color-adjust: none; }
  .jppl-root .jppl-primary-button, .jppl-root .jppl-danger { border: 2px solid ButtonText; }
  .jppl-shown button { border-bottom-color: Highlight !important; }
}

@container jppl (max-width: 620px) {
  .jppl-stage-time, .jppl-wide { display: none; }
  .jppl-stage-name { font-size: calc(var(--jppl-size) * 0.8); }
  .jppl-timeline { padding-inline: 2px; }
}
@container jppl (max-width: 520px) {
  .jppl-timeline li:not(.jppl-shown) .jppl-stage-name { position: absolute; width: 1px; height: 1px; clip-path: inset(50%); }
  .jppl-timeline li.jppl-shown .jppl-stage-name { overflow: visible; max-width: none; }
  .jppl-head, .jppl-main, .jppl-side { padding-inline: 12px; }
  .jppl-history > li { grid-template-columns: minmax(0, 1fr); gap: 0; }
  .jppl-gatebar .jppl-gatebar-text { flex-basis: 100%; }
  .jppl-model .jppl-choice > span { grid-template-columns: minmax(0, 1fr); }
  .jppl-form { grid-template-columns: repeat(auto-fill, minmax(130px, 1fr)); align-items: end; }
  .jppl-stats { column-gap: 18px; }
  .jppl-model > .jppl-link { grid-column: 1; justify-self: start; margin-inline-start: 26px; }
}
@container jppl (max-width: 380px) {
  .jppl-form { grid-template-columns: minmax(0, 1fr); }
}
@container jppl (min-width: 620px) {
  .jppl-figure-residuals, .jppl-figure:has(.jppl-shade) { grid-column: span 2; }
}
@container jppl (min-width: 900px) {
  .jppl-body { grid-template-columns: minmax(0, 1fr) minmax(270px, 24cqw); align-items: start; }
  .jppl-side { position: sticky; top: 0; border-top: 0; border-inline-start: 1px solid var(--jppl-border); min-height: 320px; align-self: stretch; align-content: start; }
  .jppl-root .jppl-lines { max-height: 430px; }
}
/* Two charts side by side only where each has room for the names at its curves. */
@container jppl (min-width: 1040px) {
  .jppl-curves { grid-template-columns: minmax(0, 1.5fr) minmax(0, 1fr); align-items: start; column-gap: 20px; }
  .jppl-large { grid-row: span 2; }
  .jppl-curves-pair .jppl-plot { height: 340px; }
  .jppl-large:last-child { grid-column: 1 / -1; }
}
`;

export function injectStyle(element: HTMLElement): void {
  const root = element.getRootNode();
  const place = root instanceof ShadowRoot ? root : document.head;
  if (!place.querySelector('style[data-jppl]')) {
    const style = document.createElement('style');
    style.dataset.jppl = '';
    style.textContent = CSS;
    place.append(style);
  }
}
