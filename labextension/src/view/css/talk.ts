/** History, log and conversation, and the view of a project that is empty or loading. */

export const TALK = `
/* details, history, log */
.jppl-details > summary { cursor: pointer; color: var(--jppl-muted); width: max-content; max-width: 100%; padding: 2px 0; }
.jppl-details[open] > summary { color: var(--jppl-fg); }
.jppl-details > :not(summary) { margin-top: 6px; }
.jppl-commands { display: grid; gap: 14px; max-width: 900px; }
.jppl-commands form { display: grid; gap: 8px; justify-items: start; }
.jppl-commands .jppl-form { width: 100%; }
.jppl-command-head { margin: 0; overflow-wrap: anywhere; }
.jppl-command-head strong { font-family: var(--jppl-mono); }
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
.jppl-empty { display: grid; grid-template-columns: minmax(0, 1fr); gap: 14px; width: 100%; max-width: 680px; margin: 0 auto; padding: clamp(20px, 9cqw, 84px) 16px 32px; }
.jppl-root .jppl-empty h3 { font-size: calc(var(--jppl-size) * 2); }
.jppl-examples { display: grid; gap: 4px; justify-items: start; }
.jppl-attached { display: grid; gap: 2px; }
.jppl-loading { display: grid; gap: 8px; padding: 28px 16px; max-width: 480px; }
.jppl-reading { display: grid; grid-template-columns: minmax(0, 1fr) minmax(60px, 200px); gap: 12px; align-items: center; padding: 6px 16px; border-bottom: 1px solid var(--jppl-border); color: var(--jppl-muted); font-size: var(--jppl-small); }
.jppl-drop { position: absolute; inset: 6px; z-index: 5; display: grid; place-items: center; border: 2px dashed var(--jppl-accent); border-radius: 6px; background: color-mix(in srgb, var(--jppl-bg) 88%, transparent); font-size: calc(var(--jppl-size) * 1.4); pointer-events: none; }
`;
