/** One stage in full: what it shows, what it proposes, and what can be done about it. */

import type { ComponentChildren, RefObject } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { useNumbers, useView } from './context';
import type { PlanForm } from './gates/form';
import { PreparationForm, ProfileForm } from './gates/columns';
import { ModelsForm, ThresholdForm } from './gates/models';
import { BundleForm, DataForm, IntentForm } from './gates/request';
import type { Json, Plan } from './model';
import { edited, paramsOf, patchOf, pointer, rebased, same } from './patch';
import { Meter, Section } from './parts';
import { PredictForm } from './predict';
import { BundleView, Documents, EvaluationView, Suggestions } from './results';
import { StageId, STAGES, stageIndex } from './stages';
import { Curves, Leaderboard, TrainingProgress } from './training';
import { percent, stageName } from './words';

/** Members whose change makes the stage work again before it can propose, as the server has it. */
const REWORK: Partial<Record<StageId, string[]>> = {
  DATA_SOURCE: ['dataset_id', 'target', 'task_type'],
  PREPROCESS: ['split', 'columns']
};

type Sending = null | { what: 'confirm' | 'apply' | 'both'; gateId: string; expected?: Plan };

export function StagePanel({ stageId, heading }: { stageId: StageId; heading: RefObject<HTMLHeadingElement> }) {
  const view = useView();
  const { model, trans } = view;
  const stage = model.stages[stageId];
  const gate = model.gate?.stageId === stageId ? model.gate : null;
  const base = gate?.plan ?? stage.plan;
  const [edits, setEdits] = useState<Map<string, Json>>(new Map());
  const [sending, setSending] = useState<Sending>(null);
  const [pointed, setPointed] = useState<string | null>(null);
  const wasSending = useRef<Sending>(null);
  wasSending.current = sending;

  // Another plan is proposed: what it says already is no edit any more.
  useEffect(() => {
    setEdits(old => (base ? rebased(base, old) : new Map()));
  }, [base]);
  useEffect(() => {
    const sent = wasSending.current;
    if (!sent || gate?.gateId === sent.gateId) {
      return;
    }
    if (sent.what === 'both' && sent.expected && (gate || stage.status === 'WAITING_CONFIRMATION')) {
      if (!gate) {
        return; // The old plan is withdrawn, the new one comes at once.
      }
      if (same(gate.plan, sent.expected)) {
        confirm(gate.gateId);
        return;
      }
      model.report({ code: '', message: trans.__('The plan came out differently from what you saw. Look, then confirm.') });
    }
    setSending(null);
  }, [gate?.gateId]);
  useEffect(() => {
    // What waits in the outbox is shown there; the form must not stay shut for it.
    if (sending) {
      const timer = setTimeout(() => setSending(null), 20_000);
      return () => clearTimeout(timer);
    }
  }, [sending]);

  const plan = useMemo(() => (base ? edited(base, edits) : null), [base, edits]);
  const form: PlanForm | null = plan && {
    plan,
    set: (path, value) =>
      setEdits(old => rebased(base!, new Map([...old, [pointer(...path), value]]))),
    isEdited: (...path) => {
      const at = pointer(...path);
      return [...edits.keys()].some(key => key === at || key.startsWith(`${at}/`));
    }
  };
  const dirty = edits.size > 0;
  const rework = REWORK[stageId]?.some(member => form?.isEdited(member)) ?? false;
  const name = stageName(stageId, trans);
  const running = stage.status === 'IN_PROGRESS';
  const finished = stageId === 'EXPORT' && stage.status === 'COMPLETED';

  function confirm(gateId: string): void {
    setSending({ what: 'confirm', gateId });
    view.send({ type: 'confirm', gate_id: gateId }, problem => {
      setSending(null);
      model.report(problem);
    });
  }

  function apply(then: 'apply' | 'both'): void {
    if (!gate || !base) {
      return;
    }
    model.report(null);
    setSending({ what: then, gateId: gate.gateId, expected: edited(base, edits) });
    const refused = (problem: { code: string; message: string }): void => {
      setSending(null);
      model.report(problem);
    };
    if (stageId === 'DATA_SOURCE' && edits.has('/dataset_id')) {
      view.command('select_dataset', { dataset_id: edits.get('/dataset_id') }, refused);
    } else {
      view.command('update_plan', { stage_id: stageId, patch: patchOf(edits) }, refused);
    }
  }

  function onConfirm(): void {
    if (!gate || sending) {
      return;
    }
    model.report(null);
    if (dirty) {
      apply(rework ? 'apply' : 'both');
    } else {
      confirm(gate.gateId);
    }
  }

  return (
    <article class={`jppl-stage jppl-stage-${stage.status}`} aria-labelledby={`jppl-${model.projectId}-${stageId}`}>
      <header class="jppl-stage-head">
        <h3 ref={heading} tabIndex={-1} id={`jppl-${model.projectId}-${stageId}`} title={stageId}>
          {title()}
        </h3>
        {running ? <RunControls stageId={stageId} /> : null}
      </header>
      <Problem />
      {message() ? <p class={stage.status === 'FAILED' ? 'jppl-note jppl-note-bad' : 'jppl-lead'}>{message()}</p> : null}
      {running && stageId !== 'TRAIN' ? <StageProgress /> : null}
      {body()}
      {gate ? gateBar() : null}
      <RestartStrip
        stageId={stageId}
        strong={stage.status === 'FAILED'}
        params={!gate && base && dirty ? paramsOf(base, edits) : {}}
        onUndo={!gate && dirty ? () => setEdits(new Map()) : undefined}
      />
    </article>
  );

  function title(): string {
    if (finished) {
      return trans.__('Everything is done');
    }
    switch (stage.status) {
      case 'WAITING_CONFIRMATION':
        return trans.__('%1: your decision', name);
      case 'IN_PROGRESS':
        return stage.finishing ? trans.__('%1 is finishing', name) : trans.__('%1 is running', name);
      case 'FAILED':
        return trans.__('%1 failed', name);
      default:
        return name;
    }
  }

  function message(): string {
    if (gate) {
      return gate.summary;
    }
    if (stage.status === 'PENDING') {
      return trans.__('This has not begun yet.');
    }
    // That a stage begins is said by its title.
    return stage.message === `${stageId} begins.` ? '' : stage.message;
  }

  function body() {
    const locked = running || (stage.status === 'PENDING' && !plan);
    const controls = form && (
      <fieldset class="jppl-plan" disabled={locked} aria-label={trans.__('Plan of %1', name)}>
        {planForm(form)}
      </fieldset>
    );
    switch (stageId) {
      case 'TRAIN':
        return (
          <>
            <TrainingProgress />
            <Curves pointed={pointed} />
            {model.shownRuns().length || model.leaderboard.length ? (
              <Section title={trans.__('Leaderboard')}>
                <Leaderboard
                  onPoint={setPointed}
                  kept={plan?.keep ?? null}
                  onKeep={gate && form ? id => form.set(['keep'], id) : undefined}
                />
              </Section>
            ) : null}
            {gate ? controls : null}
            <BestEvaluation kept={plan?.keep ?? model.bestRun} />
          </>
        );
      case 'REVIEW_EDIT':
        return (
          <>
            <Results />
            {controls}
          </>
        );
      case 'EXPORT':
        return (
          <>
            <BundleView />
            {finished ? (
              <Results>
                <Section title={trans.__('Try a prediction')}>
                  <PredictForm />
                </Section>
              </Results>
            ) : null}
          </>
        );
      default:
        return running && !plan ? null : controls;
    }
  }

  function planForm(its: PlanForm) {
    switch (stageId) {
      case 'PARSE_INTENT':
        return <IntentForm {...its} />;
      case 'DATA_SOURCE':
        return <DataForm {...its} />;
      case 'PROFILE_DATA':
        return <ProfileForm {...its} />;
      case 'PREPROCESS':
        return <PreparationForm {...its} />;
      case 'MODEL_SELECT':
        return <ModelsForm {...its} />;
      case 'TRAIN':
        return <ThresholdForm {...its} />;
      case 'REVIEW_EDIT':
        return <BundleForm {...its} />;
      case 'EXPORT':
        return null;
    }
  }

  function gateBar() {
    const busy = sending !== null;
    const again = gate!.reruns.map(id => stageName(id, trans));
    return (
      <div class="jppl-gatebar">
        <div class="jppl-gatebar-text" aria-live="off">
          {busy
            ? model.connection === 'open'
              ? trans.__('Sent…')
              : trans.__('Kept until the connection is back.')
            : dirty
              ? rework
                ? trans._n(
                    '%1 change; %2 is worked out again with it, then waits for you.',
                    '%1 changes; %2 is worked out again with them, then waits for you.',
                    edits.size,
                    name
                  )
                : trans._n('%1 change, confirmed together with the plan.', '%1 changes, confirmed together with the plan.', edits.size)
              : again.length
                ? trans.__('Runs again after this: %1.', again.join(', '))
                : nextText()}
        </div>
        {dirty ? (
          <button type="button" class="jppl-button" aria-disabled={busy} onClick={() => setEdits(new Map())}>
            {trans.__('Undo')}
          </button>
        ) : null}
        {dirty ? (
          <button
            type="button"
            class={`jppl-button ${rework ? 'jppl-primary-button' : ''}`}
            aria-disabled={busy}
            onClick={() => !busy && apply('apply')}
          >
            {trans.__('Apply changes')}
          </button>
        ) : null}
        <button
          type="button"
          class={`jppl-button ${dirty && rework ? '' : 'jppl-primary-button'} jppl-confirm`}
          aria-disabled={busy || (dirty && rework)}
          title={dirty && rework ? trans.__('Apply the changes first, then look at the plan that they lead to.') : undefined}
          onClick={() => !(dirty && rework) && onConfirm()}
        >
          {trans.__('Confirm')}
        </button>
      </div>
    );
  }

  function nextText(): string {
    const next = STAGES[stageIndex(stageId) + 1];
    return next ? trans.__('Next: %1.', stageName(next, trans)) : '';
  }
}

/** What the server refused, where the person is looking. */
function Problem() {
  const { model, trans } = useView();
  const problem = model.problem;
  useEffect(() => {
    if (problem) {
      const timer = setTimeout(() => model.problem === problem && model.report(null), 30_000);
      return () => clearTimeout(timer);
    }
  }, [problem]);
  if (!problem) {
    return null;
  }
  const stale = problem.code === 'GATE_STALE' || problem.code === 'NOT_WAITING';
  return (
    <div class={`jppl-note ${stale ? 'jppl-note-warn' : 'jppl-note-bad'} jppl-problem`} role="alert" data-code={problem.code}>
      <span>
        {stale
          ? trans.__('Somebody was quicker: this was confirmed or changed meanwhile. Below is how it stands now.')
          : problem.message}
      </span>
      <button type="button" class="jppl-link" onClick={() => model.report(null)}>
        {trans.__('Close')}
      </button>
    </div>
  );
}

function StageProgress() {
  const { model, trans } = useView();
  useNumbers(model, 100);
  const progress = model.progress;
  return (
    <div class="jppl-run">
      <Meter value={progress?.pct ?? null} label={stageName(model.current, trans)} />
      {progress ? <span class="jppl-num">{percent(progress.pct)}</span> : null}
      <span class="jppl-muted jppl-run-what">{progress?.text ?? ''}</span>
    </div>
  );
}

function RunControls({ stageId }: { stageId: StageId }) {
  const { model, trans, command } = useView();
  const stage = model.stages[stageId];
  const refused = (problem: { code: string; message: string }): void => model.report(problem);
  return (
    <div class="jppl-actions">
      {stageId === 'TRAIN' && !stage.finishing && model.bestRun !== null ? (
        <button
          type="button"
          class="jppl-button"
          onClick={() => command('cancel_run', { mode: 'finish' }, refused)}
        >
          {trans.__('Finish with the best so far')}
        </button>
      ) : null}
      <button type="button" class="jppl-button" onClick={() => command('cancel_run', {}, refused)}>
        {trans.__('Cancel run')}
      </button>
    </div>
  );
}

/** The way to run a stage again, with what that means said beside it. */
function RestartStrip({
  stageId,
  strong,
  params,
  onUndo
}: {
  stageId: StageId;
  strong: boolean;
  params: Record<string, Json>;
  onUndo?: () => void;
}) {
  const { model, trans, command } = useView();
  if (!model.canRestart(stageId)) {
    return null;
  }
  const again = model.rerunsOf(stageId);
  const kept = STAGES.slice(0, stageIndex(stageId));
  const names = (ids: StageId[]): string => ids.map(id => stageName(id, trans)).join(', ');
  const changed = Object.keys(params).length;
  return (
    <div class="jppl-restart">
      <p>
        {changed ? trans._n('With %1 change. ', 'With %1 changes. ', changed) : ''}
        {trans.__('Runs again: %1.', names(again))}
        {kept.length ? ` ${trans.__('Kept: %1.', names([...kept]))}` : ''}
      </p>
      {onUndo ? (
        <button type="button" class="jppl-button" onClick={onUndo}>
          {trans.__('Undo')}
        </button>
      ) : null}
      <button
        type="button"
        class={`jppl-button ${strong || changed ? 'jppl-primary-button' : ''}`}
        onClick={() =>
          command('restart_stage', { stage_id: stageId, ...(changed ? { params } : {}) }, problem =>
            model.report(problem)
          )
        }
      >
        {trans.__('Restart stage')}
      </button>
    </div>
  );
}

/** The evaluation of the run that would be kept, on validation rows. */
function BestEvaluation({ kept }: { kept: string | null }) {
  const { model, trans } = useView();
  const evaluation = kept ? model.evaluations.get(kept) : undefined;
  if (!evaluation || model.stages.TRAIN.status === 'IN_PROGRESS') {
    return null;
  }
  return (
    <Section title={trans.__('The model in detail')}>
      <EvaluationView evaluation={evaluation} />
    </Section>
  );
}

function Results({ children }: { children?: ComponentChildren }) {
  const { model, trans } = useView();
  const evaluation = model.finalEvaluation;
  return (
    <>
      {evaluation ? (
        <Section title={trans.__('Results')}>
          <EvaluationView evaluation={evaluation} />
        </Section>
      ) : null}
      {children}
      {model.reportUrl || model.notebookUrl || model.code.length ? (
        <Section title={trans.__('To read and to edit')}>
          <Documents />
        </Section>
      ) : null}
      <Suggestions />
    </>
  );
}
