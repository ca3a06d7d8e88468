/** What is different by the system and by the room there is. */

/** Nothing is told by grey, and edges are as clear as text. */
const MORE = `
  --jppl-muted: var(--jppl-fg); --jppl-edge: var(--jppl-fg); --jppl-field: var(--jppl-fg); --jppl-border: color-mix(in srgb, var(--jppl-fg) 70%, var(--jppl-bg));
  --jppl-faint: 1;
`;

export const SIZES = `
/* More contrast, as the system or the theme of JupyterLab or VS Code wants it. */
@media (prefers-contrast: more) { .jppl-root { ${MORE} } }
body:is([data-jp-theme-name*='High Contrast'], [data-vscode-theme-kind*='high-contrast']) .jppl-root { ${MORE} }
@media (prefers-contrast: more) { .jppl-root .jppl-input::placeholder { font-style: italic; } }
body:is([data-jp-theme-name*='High Contrast'], [data-vscode-theme-kind*='high-contrast']) .jppl-root .jppl-input::placeholder { font-style: italic; }
/* A system's own high contrast: what is told by a filled shape keeps its colour. */
@media (forced-colors: active) {
  .jppl-swatch, .jppl-dot, .jppl-bar, .jppl-split span, .jppl-root .jppl-confusion tbody td { forced-color-adjust: none; }
  .jppl-meter { border: 1px solid CanvasText; }
  .jppl-meter > span { background: Highlight; forced-color-adjust: none; }
  .jppl-sign-WAITING_CONFIRMATION::after { background: Highlight; forced-color-adjust: none; }
  .jppl-root .jppl-primary-button, .jppl-root .jppl-danger { border: 2px solid ButtonText; }
  .jppl-shown button { border-bottom-color: Highlight !important; }
}

/* Also beside the conversation there is not more room. */
@container jppl (max-width: 760px) or ((min-width: 900px) and (max-width: 1120px)) {
  .jppl-model .jppl-choice > span { grid-template-columns: minmax(0, 1fr) auto; }
  .jppl-model .jppl-why { grid-area: 2 / 1 / auto / -1; }
}
@container jppl (max-width: 620px) {
  .jppl-stage-time, .jppl-wide { display: none; }
  .jppl-bulk-text { flex-basis: 100%; }
  .jppl-root .jppl-leaderboard tbody th { white-space: normal; }
  .jppl-stage-name { font-size: calc(var(--jppl-size) * 0.8); }
  .jppl-timeline { padding-inline: 2px; }
}
@container jppl (max-width: 520px) {
  .jppl-timeline { padding-inline: 8px; }
  .jppl-timeline li:not(.jppl-shown) .jppl-stage-name { position: absolute; width: 1px; height: 1px; clip-path: inset(50%); }
  .jppl-timeline li.jppl-shown .jppl-stage-name { overflow: visible; max-width: none; }
  /* A picture that is drawn smaller keeps text that can be read. */
  .jppl-svg-wide text { font-size: 13px; }
  .jppl-head, .jppl-main, .jppl-side { padding-inline: 12px; }
  .jppl-history > li { grid-template-columns: minmax(0, 1fr); gap: 0; }
  .jppl-gatebar:has(.jppl-button + .jppl-button) .jppl-gatebar-text { flex-basis: 100%; }
  .jppl-root .jppl-leaderboard tbody th { min-width: 104px; }
  /* The metric, whose name has two words or more. */
  .jppl-root .jppl-leaderboard thead th:nth-last-child(3) { min-width: 92px; }
  .jppl-leaderboard thead th:nth-last-child(3) .jppl-sort { display: inline; white-space: normal; text-align: end; }
  .jppl-root .jppl-leaderboard :is(th, td).jppl-numeric { padding-inline-end: 8px; }
  .jppl-model { grid-template-columns: minmax(0, 1fr); }
  .jppl-form { grid-template-columns: repeat(auto-fill, minmax(130px, 1fr)); align-items: end; }
  .jppl-stats { column-gap: 18px; }
  .jppl-model > .jppl-link { justify-self: start; margin-inline-start: 21px; }
}
@container jppl (max-width: 380px) {
  .jppl-form { grid-template-columns: minmax(0, 1fr); }
  .jppl-field-wide { grid-column: auto; }
}
/* From here on there are two columns of figures. */
@container jppl (min-width: 592px) {
  .jppl-figure-residuals, .jppl-figure:has(.jppl-shade) { grid-column: span 2; }
  /* Beside a tall one two others stand below each other. */
  .jppl-figure-roc, .jppl-figure-precision_recall, .jppl-figure-residuals { grid-row: span 2; }
}
@container jppl (min-width: 900px) {
  .jppl-body { grid-template-columns: minmax(0, 1fr) minmax(270px, 24cqw); align-items: start; align-content: stretch; }
  /* What is said stays in sight, whatever of the stage is read. */
  .jppl-main { align-self: stretch; min-height: 320px; border-inline-end: 1px solid var(--jppl-border); }
  .jppl-side { position: sticky; top: 0; border-top: 0; align-content: start; }
  .jppl-root .jppl-lines { max-height: clamp(160px, 100vh - 460px, 640px); }
}
/* Two charts side by side only where each has room for the names at its curves. */
@container jppl (min-width: 1040px) {
  .jppl-curves { grid-template-columns: minmax(0, 1.5fr) minmax(0, 1fr); align-items: start; column-gap: 20px; }
  .jppl-large { grid-row: span 2; }
  .jppl-curves-pair .jppl-plot { height: 340px; }
  .jppl-large:last-child { grid-column: 1 / -1; }
}
`;
