/** A stage at work: how far it is, and how to end it. */

import { useEffect, useState } from 'preact/hooks';
import { stageName } from '../protocol/names';
import { Problem, useGiveUp, useNumbers, useView } from './context';
import { percent } from './numbers';
import { Meter } from './parts';
import type { StageId } from './stages';

export function StageProgress() {
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

export function RunControls({ stageId }: { stageId: StageId }) {
  const { model, trans, command } = useView();
  const stage = model.stages[stageId];
  const [asked, setAsked] = useState<'stop' | 'finish' | null>(null);
  // Answered: it goes on finishing, or is over and these buttons with it.
  useEffect(() => setAsked(null), [stage.attempt, stage.finishing]);
  useGiveUp(asked !== null, model.connection === 'open', () => setAsked(null));
  const cancel = (mode: 'stop' | 'finish'): void => {
    if (asked !== null) {
      return;
    }
    setAsked(mode);
    command('cancel_run', mode === 'finish' ? { mode } : {}, (problem: Problem) => {
      setAsked(null);
      model.report(problem);
    });
  };
  return (
    <div class="jppl-actions">
      {stageId === 'TRAIN' && !stage.finishing && model.bestRun !== null ? (
        <button type="button" class="jppl-button" aria-disabled={asked !== null} onClick={() => cancel('finish')}>
          {trans.__('Finish with the best so far')}
        </button>
      ) : null}
      <button type="button" class="jppl-button" aria-disabled={asked !== null} onClick={() => cancel('stop')}>
        {trans.__('Cancel run')}
      </button>
    </div>
  );
}
