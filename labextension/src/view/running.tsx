/** A stage at work: how far it is, and how to end it. */

import { stageName } from '../protocol/names';
import { useNumbers, useSending, useView } from './context';
import { percent } from './numbers';
import { Meter, SendButton } from './parts';
import type { Json } from './records';
import type { StageId } from './stages';

export function StageProgress() {
  const { model, trans } = useView();
  useNumbers(model, 100);
  const progress = model.progress;
  return (
    <div class="jppl-run">
      <Meter value={progress?.pct ?? null} label={stageName(model.current, trans)} />
      {progress ? <span class="jppl-num">{percent(progress.pct)}</span> : null}
      <span class="jppl-muted jppl-run-what">{progress?.text ?? model.doing}</span>
    </div>
  );
}

export function RunControls({ stageId }: { stageId: StageId }) {
  const { model, trans } = useView();
  const stage = model.stages[stageId];
  // Answered: it goes on finishing, or is over and these buttons with it.
  const { busy, send } = useSending(stage.attempt, stage.finishing, stage.lastRun);
  const cancel = (args: Record<string, Json>): void => send({ type: 'command', command: 'cancel_run', args });
  return (
    <div class="jppl-actions">
      {stageId === 'TRAIN' && (!stage.finishing || stage.lastRun) && model.bestRun !== null ? (
        <SendButton busy={busy} onSend={() => cancel({ mode: 'finish' })}>
          {trans.__('Finish with the best so far')}
        </SendButton>
      ) : null}
      <SendButton busy={busy} onSend={() => cancel({})}>
        {trans.__('Cancel run')}
      </SendButton>
    </div>
  );
}
