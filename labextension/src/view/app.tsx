/** The view as a whole. */

import { useState } from 'preact/hooks';
import { useStructure, useView } from './context';
import { STAGES } from './stages';
import { stageName, statusName } from './words';

export function App() {
  const view = useView();
  const { model, trans } = view;
  useStructure(model);
  const [text, setText] = useState('');
  const gate = model.gate;
  return (
    <div class="jppl-root" data-testid="pipeline-view" data-project={model.projectId}>
      <ol>
        {STAGES.map(id => (
          <li key={id} data-stage={id} data-status={model.stages[id].status} title={id}>
            {stageName(id, trans)}: {statusName(model.stages[id].status, trans)}
          </li>
        ))}
      </ol>
      {gate && (
        <div>
          <p>{gate.summary}</p>
          <button type="button" onClick={() => view.send({ type: 'confirm', gate_id: gate.gateId })}>
            {trans.__('Confirm')}
          </button>
        </div>
      )}
      <ul>
        {model.chat.map(line => (
          <li key={line.seq}>{line.text}</li>
        ))}
      </ul>
      <form
        onSubmit={event => {
          event.preventDefault();
          if (text.trim()) {
            view.send({ type: 'chat', text: text.trim() });
            setText('');
          }
        }}
      >
        <input aria-label={trans.__('Message')} value={text} onInput={e => setText(e.currentTarget.value)} />
      </form>
    </div>
  );
}
