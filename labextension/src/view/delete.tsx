/** The way to delete a project, with everything that goes with it said first. */

import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { messageOf } from '../client/sentences';
import type { Translation } from '../translation';
import { useView } from './context';
import type { ProjectModel } from './model';
import { count } from './numbers';
import { SendButton } from './parts';

/** What a project has that would be gone. */
export interface Belongings {
  /** Training runs, whatever became of them. */
  runs: number;
  /** What was decided at gates. */
  decisions: number;
  events: number;
  /** Names of data files that were attached, which lie in the project's folder. */
  uploads: string[];
  exported: boolean;
  /** Something is at work. */
  running: boolean;
}

export function belongingsOf(model: ProjectModel): Belongings {
  return {
    runs: model.runs.size,
    decisions: model.history.filter(entry => entry.kind === 'confirmed').length,
    events: Math.max(model.seq, model.head),
    uploads: model.datasets.filter(dataset => dataset.source === 'upload').map(dataset => dataset.name),
    exported: model.bundle !== null,
    running: model.stage.status === 'IN_PROGRESS'
  };
}

/** Sentences that say what is lost, and what is not. */
export function whatIsLost(its: Belongings, trans: Translation): string[] {
  const lost: string[] = [];
  if (its.runs) {
    lost.push(trans._n('%1 training run with its model', '%1 training runs with their models', its.runs));
  }
  if (its.exported) {
    lost.push(trans.__('the exported bundle and the report'));
  }
  if (its.uploads.length) {
    const few = its.uploads.slice(0, 5).join(', ') + (its.uploads.length > 5 ? ', …' : '');
    lost.push(trans._n('%1 attached data file (%2)', '%1 attached data files (%2)', its.uploads.length, few));
  }
  if (its.decisions) {
    lost.push(trans._n('%1 decision', '%1 decisions', its.decisions));
  }
  lost.push(trans.__('its history of %1 events, and its folder with the code', count(its.events)));
  return [
    trans.__('Gone for everybody, and for good: %1.', lost.join('; ')),
    its.running ? trans.__('What is running is stopped.') : '',
    trans.__('Data files elsewhere in the workspace, and what was downloaded, stay.')
  ].filter(Boolean);
}

export function DeleteProject() {
  const { model, rest, trans, uid } = useView();
  const [state, setState] = useState<'shut' | 'asking' | 'busy'>('shut');
  const [problem, setProblem] = useState<string | null>(null);
  const keep = useRef<HTMLButtonElement>(null);
  const opener = useRef<HTMLButtonElement>(null);
  const wasOpen = useRef(false);
  // Before anything else looks where the focus went.
  useLayoutEffect(() => {
    if (state === 'asking' && !wasOpen.current) {
      keep.current?.focus();
    } else if (state === 'shut' && wasOpen.current) {
      opener.current?.focus();
    }
    wasOpen.current = state !== 'shut';
  }, [state]);
  if (!rest.deleteProject) {
    return null;
  }
  if (state === 'shut') {
    return (
      <button
        ref={opener}
        type="button"
        class="jppl-link jppl-quiet"
        onClick={() => {
          setProblem(null);
          setState('asking');
        }}
      >
        {trans.__('Delete this project…')}
      </button>
    );
  }
  return (
    <div
      class="jppl-note jppl-note-bad jppl-delete"
      role="group"
      aria-labelledby={`${uid}-delete`}
      onKeyDown={event => {
        if (event.key === 'Escape') {
          event.stopPropagation();
          setState('shut');
        }
      }}
    >
      <strong id={`${uid}-delete`}>{trans.__('Delete the project %1?', model.projectId)}</strong>
      {whatIsLost(belongingsOf(model), trans).map(text => (
        <p key={text}>{text}</p>
      ))}
      {problem ? <p role="alert">{trans.__('It was not deleted: %1', problem)}</p> : null}
      <div class="jppl-actions">
        <button ref={keep} type="button" class="jppl-button" onClick={() => setState('shut')}>
          {trans.__('Keep it')}
        </button>
        <SendButton
          look="jppl-button jppl-danger"
          busy={state === 'busy'}
          onSend={() => {
            setState('busy');
            setProblem(null);
            rest.deleteProject!().catch(error => {
              setProblem(messageOf(error, trans));
              setState('asking');
            });
          }}
        >
          {trans.__('Delete for good')}
        </SendButton>
      </div>
    </div>
  );
}
