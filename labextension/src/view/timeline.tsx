/** The eight stages in a line: how each stands, how long it took, and the way to look at one. */

import { stageName, statusName } from '../protocol/names';
import { useNow, useView } from './context';
import { StatusSign } from './parts';
import { StageId, STAGES } from './stages';
import { duration } from './numbers';
import { stoppedBy } from './words';

export function Timeline({ shown, onShow }: { shown: StageId; onShow(id: StageId): void }) {
  const { model, trans } = useView();
  const now = useNow(model.working);
  return (
    <nav class="jppl-timeline" aria-label={trans.__('Stages')}>
      <ol>
        {STAGES.map(id => {
          const stage = model.stages[id];
          const current = id === model.current;
          const took = model.took(id, now);
          const reachable = stage.status !== 'PENDING' || current || stage.plan !== null;
          const state = stage.endedBy ? stoppedBy(stage.endedBy, trans) : statusName(stage.status, trans);
          return (
            <li
              key={id}
              data-stage={id}
              data-status={stage.status}
              class={`${current ? 'jppl-current' : ''} ${id === shown ? 'jppl-shown' : ''}`}
            >
              <button
                type="button"
                disabled={!reachable}
                aria-current={current ? 'step' : undefined}
                title={stage.reused ? trans.__('%1: %2, earlier result used again', id, state) : trans.__('%1: %2', id, state)}
                onClick={() => onShow(id)}
              >
                <StatusSign status={stage.status} stopped={stage.endedBy !== null} />
                <span class="jppl-stage-name">{stageName(id, trans)}</span>
                <span class="jppl-visually-hidden">
                  , {id === shown ? trans.__('%1, shown below', state) : state},{' '}
                </span>
                <span class="jppl-stage-time">
                  {stage.reused ? trans.__('reused') : took === null ? '' : duration(took / 1000)}
                </span>
              </button>
            </li>
          );
        })}
      </ol>
    </nav>
  );
}
