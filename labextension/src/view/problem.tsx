/** What the server refused, told where the person is looking. */

import { useEffect } from 'preact/hooks';
import { useView } from './context';

export function ProblemNote() {
  const { model, trans } = useView();
  const problem = model.problem;
  useEffect(() => {
    // What was given up without asking stays until it was read.
    if (problem && problem.code !== 'DELETED' && problem.code !== 'EXPIRED') {
      const timer = setTimeout(() => model.problem === problem && model.report(null), 30_000);
      return () => clearTimeout(timer);
    }
  }, [problem]);
  if (!problem) {
    return null;
  }
  const stale = problem.code === 'GATE_STALE' || problem.code === 'NOT_WAITING';
  const own = model.user !== null && model.history.at(-1)?.by?.username === model.user.username;
  return (
    <div class={`jppl-note ${stale ? 'jppl-note-warn' : 'jppl-note-bad'} jppl-problem`} role="alert" data-code={problem.code}>
      <span>
        {!stale
          ? problem.message
          : own
            ? trans.__('You have confirmed or changed this already, perhaps in another window. Below is how it stands now.')
            : trans.__('Somebody was quicker: this was confirmed or changed meanwhile. Below is how it stands now.')}
      </span>
      <button type="button" class="jppl-link" onClick={() => model.report(null)}>
        {trans.__('Close')}
      </button>
    </div>
  );
}
