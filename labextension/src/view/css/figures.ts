/** Progress, curves, results and their pictures. */

export const FIGURES = `
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
/* Without motion a ring with a gap is at work, and so is a bar of stripes. */
@media (prefers-reduced-motion: reduce) {
  .jppl-root *, .jppl-root *::after { animation: none !important; transition: none !important; }
  .jppl-unknown > span { width: 100%; background: repeating-linear-gradient(135deg, var(--jppl-accent) 0 6px, transparent 6px 12px); }
}
.jppl-curves { display: grid; grid-template-columns: minmax(0, 1fr); gap: 14px; }
.jppl-root .jppl-waiting { min-height: 120px; place-content: center; color: var(--jppl-muted); border: 1px dashed var(--jppl-border); border-radius: 4px; }
.jppl-curve { position: relative; }
.jppl-plot { height: 200px; }
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
.jppl-metrics .jppl-primary dd:not(.jppl-interval) { font-size: calc(var(--jppl-size) * 2.3); line-height: 1.1; font-weight: 600; }
.jppl-root .jppl-metrics .jppl-interval { order: -1; font-size: var(--jppl-small); color: var(--jppl-muted); }
.jppl-figures { display: grid; grid-auto-flow: dense; grid-template-columns: repeat(auto-fill, minmax(min(100%, 270px), 1fr)); gap: 20px 28px; align-items: start; }
.jppl-figure { display: grid; grid-template-columns: minmax(0, 1fr); gap: 6px; }
.jppl-figure figcaption { font-weight: 600; }
/* Five classes and more need the whole width. */
.jppl-figure:has(.jppl-confusion th:nth-child(6)) { grid-column: 1 / -1; }
.jppl-picture { max-width: 100%; min-height: 40px; display: block; background: #fff; }
.jppl-svg { width: 100%; max-width: 330px; height: auto; }
.jppl-svg-wide { max-width: 520px; }
.jppl-svg text { font-size: 10px; fill: var(--jppl-muted); }
.jppl-gridline { stroke: var(--jppl-grid); }
.jppl-chance { stroke: var(--jppl-series-baseline); stroke-dasharray: 4 3; }
.jppl-line { fill: none; stroke-width: 1.8; stroke-linejoin: round; }
.jppl-dots { stroke: var(--jppl-series-0); stroke-width: 4.5; stroke-linecap: round; stroke-opacity: 0.6; fill: none; }
.jppl-legend { display: flex; flex-wrap: wrap; gap: 2px 16px; }
.jppl-root .jppl-confusion :is(th, td) { padding: 5px 10px; text-align: center; font-weight: 400; border: 2px solid var(--jppl-bg); background: none; }
.jppl-root .jppl-confusion th { color: var(--jppl-muted); font-size: var(--jppl-small); max-width: 120px; overflow-wrap: break-word; }
.jppl-root .jppl-confusion tbody td { min-width: 66px; background: color-mix(in srgb, var(--jppl-series-0) calc(var(--jppl-share, 0) * var(--jppl-depth)), var(--jppl-bg2)); }
.jppl-root .jppl-confusion td strong, .jppl-root .jppl-confusion td span { display: block; }
.jppl-root .jppl-confusion td span { font-size: var(--jppl-small); }
.jppl-shade-room { fill: var(--jppl-bg2); }
.jppl-shade { fill: var(--jppl-series-0); }
/* The bars begin where the longest name ends. */
.jppl-root .jppl-bars { display: grid; grid-template-columns: fit-content(42%) minmax(0, 1fr); gap: 4px 10px; max-width: 640px; }
.jppl-bars > div { display: grid; grid-template-columns: subgrid; grid-column: 1 / -1; align-items: center; }
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
.jppl-suggestions li { display: flex; gap: 12px; justify-content: space-between; align-items: start; }
`;
