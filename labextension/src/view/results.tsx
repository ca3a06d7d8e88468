/** What the model that was kept came to, and everything that was made of it. */

import { useState } from 'preact/hooks';
import { messageOf } from '../client/sentences';
import { metricName } from '../protocol/names';
import { modelColour } from './colours';
import { useSaying, useView, ViewContext } from './context';
import { FigureView } from './figures';
import { Details, HERE, Icon, Section, SendButton, Sentence, useJson } from './parts';
import type { Evaluation, FigureKind } from './records';
import { bytes, count, number } from './numbers';
import { modelName, runLabels } from './runs';

const ORDER: FigureKind[] = ['confusion', 'roc', 'precision_recall', 'residuals', 'importance', 'shap'];

/** The name of a run's model, in its colour. */
export function ModelOf({ runId }: { runId: string }) {
  const { model, trans } = useView();
  const run = model.runs.get(runId);
  return run ? (
    <span class="jppl-muted">
      <span class="jppl-swatch" style={{ background: `var(${modelColour(model, run.modelId)})` }} />
      {runLabels(model, trans).get(runId) ?? modelName(model, run.modelId, trans)}
    </span>
  ) : null;
}

/** Metrics and pictures of one evaluation. */
export function EvaluationView({ evaluation }: { evaluation: Evaluation }) {
  const { model, trans } = useView();
  const primary = model.primaryMetric;
  const run = model.runs.get(evaluation.runId);
  const values = new Map<string, number | null>(Object.entries(evaluation.metrics));
  for (const m of run?.final ?? []) {
    if (m.split === evaluation.split) {
      values.set(m.name, m.value);
    }
  }
  const rows = model.split?.[evaluation.split as 'val' | 'test'];
  const ends = useInterval(evaluation);
  const names = [...values.keys()].sort((a, b) => Number(b === primary) - Number(a === primary));
  return (
    <>
      <dl class="jppl-metrics">
        {names.map(name => (
          <div key={name} class={name === primary ? 'jppl-primary' : ''}>
            <dt>{metricName(name, trans)}</dt>
            <dd>{number(values.get(name))}</dd>
            {name === primary && ends ? (
              <dd class="jppl-interval">{trans.__('95% interval: %1 to %2', number(ends[0]), number(ends[1]))}</dd>
            ) : null}
          </div>
        ))}
      </dl>
      <p class="jppl-hint">
        {evaluation.split === 'test'
          ? rows
            ? trans.__('Measured on the %1 test rows, which no model has seen.', count(rows))
            : trans.__('Measured on the test rows, which no model has seen.')
          : rows
            ? trans.__('Measured on the %1 validation rows.', count(rows))
            : trans.__('Measured on the validation rows.')}
      </p>
      <div class="jppl-figures">
        {ORDER.filter(kind => evaluation.figures.has(kind)).map(kind => (
          <FigureView key={kind} kind={kind} figure={evaluation.figures.get(kind)!} />
        ))}
      </div>
    </>
  );
}

/** Between which values the primary metric is on the test rows, once the review has said so. */
function useInterval({ split }: Evaluation): [number, number] | null {
  const { model } = useView();
  const review =
    split === 'test' && model.reportUrl
      ? [...model.artifacts.values()].filter(({ meta }) => String(meta.path).endsWith('/review.json')).at(-1)
      : undefined;
  const loaded = useJson<{ intervals: Record<string, [number, number] | null> }>(review?.url ?? null);
  return loaded?.state === 'ready' ? (loaded.value.intervals[model.primaryMetric] ?? null) : null;
}

/** Report, notebook and code: opened where the host can, else in a new tab. */
export function Documents() {
  const view = useView();
  const { model, trans, host } = view;
  const [busy, setBusy] = useState<string | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const act = (name: string, what: () => Promise<void> | void): void => {
    setBusy(name);
    setProblem(null);
    Promise.resolve()
      .then(what)
      .catch(error => setProblem(messageOf(error, trans)))
      .finally(() => setBusy(null));
  };
  const code = model.code.find(file => file.path.endsWith('train.py')) ?? model.code[0];
  const notebook = model.code.find(file => file.path.endsWith('.ipynb'));
  return (
    <>
      <div class="jppl-documents">
        {model.reportUrl ? (
          <SendButton
            busy={busy === 'report'}
            onSend={() => act('report', () => openAsset(view, model.reportUrl!, 'report'))}
          >
            <Icon name="file" />
            {trans.__('Open the report')}
          </SendButton>
        ) : null}
        {model.notebookUrl ? (
          <SendButton
            busy={busy === 'notebook'}
            onSend={() =>
              act('notebook', () =>
                host.openPath && notebook
                  ? host.openPath(serverPath(view, notebook.path), 'notebook')
                  : openAsset(view, model.notebookUrl!, 'notebook')
              )
            }
          >
            <Icon name="file" />
            {trans.__('Open the notebook')}
          </SendButton>
        ) : null}
        {code && host.openPath ? (
          <button
            type="button"
            class="jppl-button"
            onClick={() => host.openPath!(serverPath(view, code.path), 'code')}
          >
            <Icon name="file" />
            {trans.__('Open the training code')}
          </button>
        ) : null}
      </div>
      {problem ? (
        <p class="jppl-note jppl-note-bad" role="alert">
          {problem}
        </p>
      ) : null}
      {model.code.length && host.openPath ? (
        <Details summary={trans.__('All code files')}>
          <ul class="jppl-files">
            {model.code.slice(0, 100).map(file => (
              <li key={file.path}>
                <button
                  type="button"
                  class="jppl-link"
                  onClick={() => host.openPath!(serverPath(view, file.path), 'code')}
                >
                  {file.path}
                </button>{' '}
                <span class="jppl-muted jppl-num">{bytes(file.size)}</span>
              </li>
            ))}
          </ul>
        </Details>
      ) : null}
    </>
  );
}

export function Suggestions() {
  const { model, trans } = useView();
  const { busy, say } = useSaying();
  return model.suggestions.length ? (
    <Section title={trans.__('What could be tried next')}>
      <ul class="jppl-suggestions">
        {model.suggestions.slice(0, 6).map(s => (
          <li key={s.title}>
            <div>
              <strong>{s.title}</strong>
              <span class="jppl-why">{s.why}</span>
            </div>
            {s.chat ? (
              <SendButton busy={busy} onSend={() => say(s.chat)}>
                {trans.__('Try it')}
              </SendButton>
            ) : null}
          </li>
        ))}
      </ul>
    </Section>
  ) : null;
}

/** A path of the project as the server's file browser counts it. */
function serverPath(view: ViewContext, path: string): string {
  return `pipelines/${view.model.projectId}/${path}`;
}

async function openAsset(view: ViewContext, url: string, kind: 'report' | 'notebook'): Promise<void> {
  const path = view.model.pathOf(url);
  if (view.host.openPath && path) {
    view.host.openPath(serverPath(view, path), kind);
    return;
  }
  if (view.rest.assetUrl) {
    const address = view.rest.assetUrl(url);
    if (view.host.openUrl) {
      view.host.openUrl(address);
    } else {
      window.open(address, '_blank', 'noopener');
    }
    return;
  }
  // Not reachable by address: saved as a file instead. A page made of data must not run as this one.
  await saveAsset(view, url, url.split('.').slice(-2).join('.'));
}

/** Save an asset as a file. */
export async function saveAsset(view: ViewContext, url: string, name: string): Promise<void> {
  const blob = await view.rest.asset(url);
  if (view.host.download) {
    view.host.download(blob, name);
    return;
  }
  const address = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  // In the page: VS Code hears of a click there, and saves the file itself.
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

/** The bundle: what there is to take away. */
export function BundleView() {
  const view = useView();
  const { model, trans } = view;
  const [state, setState] = useState<'idle' | 'busy' | string>('idle');
  const bundle = model.bundle;
  if (!bundle) {
    return null;
  }
  const size = [...model.artifacts.values()].find(({ url }) => url === bundle.url)?.meta.size;
  return (
    <>
      <div class="jppl-documents">
        <SendButton
          look="jppl-button jppl-primary-button"
          busy={state === 'busy'}
          onSend={() => {
            setState('busy');
            saveAsset(view, bundle.url, `${model.projectId}.zip`).then(
              () => setState('idle'),
              error => setState(messageOf(error, trans))
            );
          }}
        >
          <Icon name="download" />
          {state === 'busy' ? trans.__('Downloading…') : trans.__('Download the bundle')}
        </SendButton>
        {typeof size === 'number' ? <span class="jppl-muted jppl-num">{bytes(size)}</span> : null}
      </div>
      {state !== 'idle' && state !== 'busy' ? (
        <p class="jppl-note jppl-note-bad" role="alert">
          {state}
        </p>
      ) : null}
      <p class="jppl-hint">
        <Sentence text={trans.__('It runs alone, and so it came to the reported metrics: %1', HERE)}>
          <code>python predict.py rows.csv --out predictions.csv</code>
        </Sentence>
      </p>
      <Details summary={trans._n('%1 file inside', '%1 files inside', bundle.contents.length)}>
        <p class="jppl-hint">
          <code class="jppl-checksum">{bundle.checksum}</code>
        </p>
        <ul class="jppl-files">
          {bundle.contents.slice(0, 300).map(path => (
            <li key={path}>
              <code>{path}</code>
            </li>
          ))}
        </ul>
      </Details>
    </>
  );
}
