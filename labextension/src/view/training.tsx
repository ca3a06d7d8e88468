/** How far the training is, and what it uses. */

import { metricName, phaseName } from '../protocol/names';
import { modelColour } from './colours';
import { useSending, useNow, useNumbers, useView } from './context';
import { bytes, duration, number, percent } from './numbers';
import { Meter, SendButton, Stat } from './parts';
import { runLabels } from './runs';

/** Runs at work that have a line of their own: the curves below are what matters. */
const SHOWN = 4;

/** How far the training is: against its time budget, and the runs that are at work. */
export function TrainingProgress() {
  const { model, trans } = useView();
  useNumbers(model, 250);
  const now = model.serverTime(useNow(model.stages.TRAIN.status === 'IN_PROGRESS'));
  const stage = model.stages.TRAIN;
  if (stage.status !== 'IN_PROGRESS') {
    return null;
  }
  const labels = runLabels(model, trans);
  const running = model.runningRuns().filter(run => run.pct > 0 || !model.previewed); // else how far it is is not known yet
  const done = model.shownRuns().filter(run => run.status === 'success').length; // those of before that serve again too
  const budget = model.stages.MODEL_SELECT.plan?.time_budget_s;
  const spent = stage.startedTs === null ? 0 : Math.max(0, (now - stage.startedTs) / 1000);
  const use = model.resources;
  const best = model.leaderboard.find(row => row.run_id === model.bestRun);
  return (
    <div class="jppl-progress">
      <div class="jppl-stats">
        {best ? (
          <Stat
            label={trans.__('%1 so far: %2', metricName(model.primaryMetric, trans), labels.get(best.run_id) ?? best.model)}
            value={number(best.metric)}
          />
        ) : null}
        <Stat
          label={typeof budget === 'number' ? trans.__('Time, of %1', duration(budget)) : trans.__('Time')}
          value={duration(spent)}
        />
        <Stat label={trans.__('Runs done')} value={String(done)} />
        {use ? <Stat label={trans.__('CPU')} value={`${Math.round(use.cpuPct)} %`} /> : null}
        {use ? <Stat label={trans.__('Memory')} value={bytes(use.ramMb * 1048576)} /> : null}
        {use && use.gpuPct !== null ? <Stat label={trans.__('GPU')} value={`${Math.round(use.gpuPct)} %`} /> : null}
        {use && use.vramMb !== null ? <Stat label={trans.__('GPU memory')} value={bytes(use.vramMb * 1048576)} /> : null}
      </div>
      {running.slice(0, SHOWN).map(run => {
        const label = labels.get(run.runId) ?? run.runId;
        const phase = phaseName(run.phase, trans);
        return (
          <div class="jppl-run" key={run.runId}>
            <span class="jppl-swatch" style={{ background: `var(${modelColour(model, run.modelId)})` }} />
            <span class="jppl-run-name">{label}</span>
            <Meter value={run.pct} label={label} />
            <span class="jppl-num">{percent(run.pct)}</span>
            <span class="jppl-muted jppl-run-what">
              {run.etaS === null
                ? phase
                : run.etaS < 1
                  ? trans.__('%1, less than 1 s left', phase)
                  : trans.__('%1, about %2 left', phase, duration(run.etaS))}
            </span>
            <Skip runId={run.runId} label={label} />
          </div>
        );
      })}
      {running.length > SHOWN ? (
        <p class="jppl-hint">{trans._n('%1 more run is at work.', '%1 more runs are at work.', running.length - SHOWN)}</p>
      ) : null}
    </div>
  );
}

function Skip({ runId, label }: { runId: string; label: string }) {
  const { trans } = useView();
  const { busy, send } = useSending();
  return (
    <SendButton
      look="jppl-link"
      title={trans.__('Cancel this run; the others go on')}
      label={trans.__('Skip %1', label)}
      busy={busy}
      onSend={() => send({ type: 'command', command: 'cancel_run', args: { run_id: runId } })}
    >
      {trans.__('Skip')}
    </SendButton>
  );
}
