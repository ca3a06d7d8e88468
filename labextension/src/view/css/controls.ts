/** Buttons, forms, gates, tables and facts. */

export const CONTROLS = `
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
.jppl-form { display: grid; grid-template-columns: repeat(auto-fill, minmax(172px, 1fr)); gap: 10px 16px; max-width: 900px; align-items: start; }
.jppl-form-dense { grid-template-columns: 136px 136px repeat(auto-fill, minmax(110px, 1fr)); }
.jppl-field-wide { grid-column: span 2; }
.jppl-field { display: grid; gap: 3px; min-width: 0; align-content: start; }
.jppl-label { font-size: var(--jppl-small); color: var(--jppl-muted); overflow-wrap: anywhere; }
.jppl-input, .jppl-select select {
  width: 100%; min-height: 28px; padding: 3px 8px; border: 1px solid var(--jppl-field); border-radius: 3px; background: var(--jppl-bg);
}
.jppl-input:user-invalid { border-color: var(--jppl-bad); box-shadow: 0 0 0 1px var(--jppl-bad); }
.jppl-root .jppl-input::placeholder { color: var(--jppl-muted); opacity: 1; }
.jppl-select { position: relative; display: block; min-width: 0; }
.jppl-select select { appearance: none; padding-inline-end: 20px; text-overflow: ellipsis; background-image: none; }
.jppl-select .jppl-icon { position: absolute; right: 4px; top: calc(50% - 7px); width: 14px; height: 14px; pointer-events: none; }
.jppl-picked { display: flex; flex-wrap: wrap; gap: 4px; }
.jppl-picked li { display: inline-flex; align-items: center; padding-inline-start: 8px; border: 1px solid var(--jppl-border); border-radius: 3px; background: var(--jppl-bg2); }
.jppl-picked button { display: grid; place-items: center; width: 24px; height: 24px; padding: 0; border: 0; background: none; cursor: pointer; color: var(--jppl-muted); }
.jppl-picked button:hover { color: var(--jppl-fg); }
.jppl-picked .jppl-icon { width: 12px; height: 12px; }
.jppl-plan:disabled :is(.jppl-set .jppl-select, .jppl-set .jppl-input, .jppl-set button, .jppl-set:not(:has(li))) { display: none; }
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
.jppl-model { display: grid; grid-template-columns: minmax(0, 1fr) minmax(76px, auto); gap: 4px 16px; align-items: baseline; padding: 7px 2px; border-bottom: 1px solid var(--jppl-border); }
.jppl-model .jppl-choice > span { flex: 1; display: grid; grid-template-columns: minmax(120px, 200px) minmax(0, 1fr) auto; gap: 0 16px; align-items: baseline; }
.jppl-model > .jppl-link { justify-self: end; }
.jppl-model-name { display: grid; grid-template-columns: auto minmax(0, 1fr); align-items: baseline; }
.jppl-cost { color: var(--jppl-muted); font-size: var(--jppl-small); white-space: nowrap; }
.jppl-model .jppl-why { max-width: none; text-wrap: pretty; }
.jppl-model:not(.jppl-chosen) .jppl-model-name { color: var(--jppl-muted); }
.jppl-model .jppl-params { grid-column: 1 / -1; grid-template-columns: repeat(auto-fill, minmax(110px, 1fr)); padding: 2px 0 6px 21px; }
.jppl-params .jppl-label { font-family: var(--jppl-mono); font-size: calc(var(--jppl-size) * 0.82); }
.jppl-gatebar {
  position: sticky; bottom: 0; z-index: 3; display: flex; flex-wrap: wrap; gap: 8px; align-items: center; justify-content: flex-end;
  padding: 10px 12px; margin: 0 -12px; background: var(--jppl-bg); border-top: 2px solid var(--jppl-accent);
}
/* What gets the focus by a key is scrolled to above the bar, not behind it. */
.jppl-stage:has(.jppl-gatebar) > :not(.jppl-gatebar) :is(a, button, input, select, textarea, summary) { scroll-margin-block-end: 72px; }
.jppl-gatebar-text { flex: 1 1 180px; color: var(--jppl-muted); }
.jppl-confirm { padding-inline: 22px; min-height: 32px; }
.jppl-restart { display: flex; flex-wrap: wrap; gap: 6px 12px; align-items: center; color: var(--jppl-muted); font-size: var(--jppl-small); }
.jppl-restart p { flex: 1 1 220px; }
@media (hover: hover) { .jppl-restart:not(:hover, :focus-within) .jppl-when-near { visibility: hidden; } }
/* Where a stage failed, this is what matters: it is in sight as the confirmation of a gate is. */
.jppl-restart.jppl-gatebar { font-size: inherit; }
.jppl-restart .jppl-button { color: var(--jppl-fg); }
/* Beside an open gate it is not what matters. */
.jppl-root .jppl-restart .jppl-link { font-size: inherit; text-decoration: underline; text-underline-offset: 2px; }
.jppl-root .jppl-restart .jppl-primary-button { color: #fff; }
.jppl-split { display: flex; gap: 2px; max-width: 900px; font-size: var(--jppl-small); }
.jppl-split span { flex: 1 1 0; padding: 5px 8px; min-width: min-content; overflow-wrap: normal; border-top: 4px solid; background: var(--jppl-bg2); color: var(--jppl-fg); }
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
.jppl-root .jppl-leaderboard tbody th { white-space: nowrap; }
/* What is left of the width, and no more: it never makes the table wider. */
.jppl-root .jppl-leaderboard .jppl-settings { width: 40%; max-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; color: var(--jppl-muted); font-size: var(--jppl-small); font-weight: 400; }
.jppl-root .jppl-table .jppl-target + :is(th, td) { padding-inline-start: 14px; }
.jppl-leaderboard td input { vertical-align: -2px; accent-color: var(--jppl-accent); }
.jppl-root .jppl-best :is(th, td) { font-weight: 600; background: color-mix(in srgb, var(--jppl-accent) 8%, transparent); }
.jppl-root .jppl-edited th { font-weight: 600; }
.jppl-root .jppl-columns :is(thead th:has(.jppl-sort):not(.jppl-numeric, .jppl-wide), tbody th) { position: relative; padding-inline-start: 10px; }
.jppl-edited th::before { content: ''; position: absolute; inset-inline-start: 0; top: calc(50% - 3px); width: 6px; height: 6px; border-radius: 50%; background: var(--jppl-accent); }
.jppl-badge { display: inline-block; padding: 0 6px; border: 1px solid currentColor; border-radius: 8px; font-size: calc(var(--jppl-size) * 0.8); font-weight: 600; margin-inline-start: 6px; line-height: 1.4; }
.jppl-columns tbody th bdi { display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 3; overflow: hidden; }
.jppl-columns .jppl-badge { margin: 0; }
.jppl-columns .jppl-select { width: min(210px, 33cqw); }
/* Names and kinds are not broken for it. */
.jppl-values { color: var(--jppl-muted); width: 25%; max-width: 0 !important; overflow: hidden; text-overflow: ellipsis; white-space: nowrap !important; }
.jppl-sort { display: inline-flex; vertical-align: bottom; align-items: center; gap: 3px; border: 0; background: none; padding: 0; cursor: pointer; color: inherit; white-space: nowrap; }
/* Before the name of a column of numbers, so that the name ends where they do. */
.jppl-numeric .jppl-sort { flex-direction: row-reverse; }
.jppl-sort .jppl-icon { width: 12px; height: 12px; vertical-align: 0; }
.jppl-root [aria-sort='none'] .jppl-sort:not(:hover, :focus-visible) .jppl-icon { opacity: 0.4; }
.jppl-root :is([aria-sort='ascending'], [aria-sort='descending']) .jppl-sort { color: var(--jppl-fg); font-weight: 600; }
.jppl-row-button { display: inline-flex; align-items: baseline; border: 0; background: none; padding: 0; cursor: pointer; font-weight: inherit !important; text-align: start; }
.jppl-row-button:hover { text-decoration: underline; }
.jppl-status-failed, .jppl-root .jppl-level-error { color: var(--jppl-bad); }
.jppl-status-success { color: var(--jppl-muted); }
.jppl-reason { display: block; font-size: var(--jppl-small); color: var(--jppl-muted); min-width: 11ch; max-width: 60ch; font-weight: 400; overflow-wrap: anywhere; }
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
.jppl-stat-label::first-letter { text-transform: uppercase; }
.jppl-filter { display: flex; flex-wrap: wrap; gap: 6px 10px; align-items: center; }
.jppl-root .jppl-search { width: 240px; }
.jppl-bulk { position: sticky; top: 0; z-index: 2; display: flex; flex-wrap: wrap; gap: 6px 10px; align-items: center; padding: 6px 0; background: var(--jppl-bg); }
.jppl-bulk-text { flex: 1 1 260px; min-width: 0; color: var(--jppl-muted); }
.jppl-bulk-done { flex: 1 1 100%; color: var(--jppl-muted); }
.jppl-plan:disabled :is(.jppl-bulk, .jppl-pick) { display: none; }
.jppl-root .jppl-table .jppl-pick { width: 1px; padding-inline-end: 10px; }
.jppl-pick input { accent-color: var(--jppl-accent); vertical-align: -2px; }
.jppl-root .jppl-chosen-row :is(th, td) { background: color-mix(in srgb, var(--jppl-accent) 8%, transparent); }
`;
