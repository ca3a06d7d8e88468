/** The view as a whole: the stages, the one that matters now, the conversation, and what was decided. */

import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { StatusDetail } from '../client/connection';
import { textOf } from '../client/sentences';
import { versionNotice } from '../client/version';
import { stageName } from '../protocol/names';
import type { Translation } from '../translation';
import { Boundary } from './boundary';
import { ChatLines, Composer, hintFor } from './chat';
import { Commands } from './commands';
import { useNow, useNumbers, useSaying, useStructure, useView } from './context';
import { DeleteProject } from './delete';
import { useKeptFocus, useOwnKeys } from './focus';
import { History, Log } from './history';
import { Details, Meter, SendButton } from './parts';
import { ProblemNote } from './problem';
import { StagePanel } from './stage';
import type { StageId } from './stages';
import { Timeline } from './timeline';
import { count } from './numbers';
import { Attached, UploadContext, useUploads } from './uploads';

export function App() {
  const view = useView();
  const { model, trans } = view;
  useStructure(model);
  const [selected, setSelected] = useState<StageId | null>(null);
  const root = useRef<HTMLDivElement>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  const uploads = useUploads();
  const [dropping, setDropping] = useState(false);
  const shown = selected ?? model.current;
  // Where the project has come to what was looked at, one goes on with it; at once, before it has gone on itself.
  useLayoutEffect(() => {
    if (selected === model.current) {
      setSelected(null);
    }
  }, [selected, model.current]);
  const key = `${shown}/${model.gate?.gateId ?? ''}/${model.stages[shown].status}`;
  useKeptFocus(root, heading);
  useOwnKeys(root);

  const loading = !model.ready;
  const gone = model.connection === 'deleted' || model.connection === 'denied';
  return (
    <UploadContext.Provider value={uploads}>
      <div
        ref={root}
        class={`jppl-root ${dropping ? 'jppl-dropping' : ''}`}
        data-testid="pipeline-view"
        data-project={model.projectId}
        aria-busy={!model.ready && !gone}
        onDragOver={event => {
          if (event.dataTransfer?.types.includes('Files')) {
            event.preventDefault();
            setDropping(true);
          }
        }}
        onDragLeave={event => {
          if (!event.currentTarget.contains(event.relatedTarget as Node | null)) {
            setDropping(false);
          }
        }}
        onDrop={event => {
          setDropping(false);
          if (event.dataTransfer?.files.length) {
            event.preventDefault();
            event.stopPropagation();
            uploads.upload(Array.from(event.dataTransfer.files));
          }
        }}
      >
        <LiveRegion />
        <div class="jppl-head">
          <h2 class="jppl-title">{model.projectId}</h2>
          <ConnectionNote />
        </div>
        <VersionNote />
        {gone ? (
          <Gone />
        ) : loading && !model.seq ? (
          <Loading />
        ) : model.isEmpty && !loading ? (
          <Empty />
        ) : (
          <>
            <Timeline shown={shown} onShow={setSelected} />
            {loading ? <Loading /> : model.previewed ? <Reading /> : null}
            <div class="jppl-body" hidden={loading}>
              <div class="jppl-main">
                {shown !== model.current ? (
                  <p class="jppl-back">
                    <button type="button" class="jppl-link" onClick={() => setSelected(null)}>
                      {model.gate
                        ? trans.__('Back to %1, which waits for you', stageName(model.current, trans))
                        : trans.__('Back to %1', stageName(model.current, trans))}
                    </button>
                  </p>
                ) : null}
                {loading ? null : (
                  <Boundary trans={trans} again={key}>
                    <StagePanel key={`${model.epoch} ${shown}`} stageId={shown} heading={heading} />
                  </Boundary>
                )}
                <div class="jppl-more">
                  <Details summary={trans.__('History')}>
                    <History />
                  </Details>
                  {model.log.length ? (
                    <Details summary={trans.__('Log')}>
                      <Log />
                    </Details>
                  ) : null}
                  {model.commands.length ? (
                    <Details summary={trans.__('Commands')}>
                      <Commands />
                    </Details>
                  ) : null}
                  <DeleteProject />
                </div>
              </div>
              <section class="jppl-side" aria-label={trans.__('Chat')}>
                <ChatLines />
                <Composer hint={hintFor(model, trans)} />
              </section>
            </div>
          </>
        )}
        {dropping ? <div class="jppl-drop">{trans.__('Drop data files to attach them')}</div> : null}
      </div>
    </UploadContext.Provider>
  );
}

/** Requests that are understood: not translated, for what reads them may know English alone. */
const EXAMPLES = [
  'Predict churn, optimise recall, take at most two minutes.',
  'Predict the price, a regression; minimise MAE.',
  'Predict the species of the iris data.'
];

/** Nothing was asked yet: the question, and a place to answer it. */
function Empty() {
  const { trans } = useView();
  const { busy, say } = useSaying();
  return (
    <div class="jppl-empty">
      <h3>{trans.__('What should be predicted?')}</h3>
      <p class="jppl-lead">
        {trans.__('Attach a data file, or drop it here, and say what you want to know. Nothing runs before you confirm it.')}
      </p>
      <ProblemNote />
      <Attached />
      <Composer large hint={EXAMPLES[0]} />
      <div class="jppl-examples">
        <span class="jppl-muted">{trans.__('For example')}</span>
        {EXAMPLES.map(text => (
          <SendButton key={text} look="jppl-link" busy={busy} onSend={() => say(text)}>
            <span lang="en">{text}</span>
          </SendButton>
        ))}
      </div>
    </div>
  );
}

function Loading() {
  const { model, trans } = useView();
  const many = model.head > 500;
  return (
    <div class="jppl-loading">
      <p>
        {!model.greeted
          ? trans.__('Connecting to the project…')
          : many
            ? trans.__('Loading %1 of %2 events', count(model.seq), count(model.head))
            : trans.__('Loading…')}
      </p>
      <Meter value={model.greeted && many ? model.seq / model.head : null} label={trans.__('Loading')} />
    </div>
  );
}

/** The project is shown as it stands; its log is still being read, which is said if it takes long enough to be read. */
function Reading() {
  const { model, trans } = useView();
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), 700);
    return () => clearTimeout(timer);
  }, []);
  useNumbers(model);
  return late ? (
    <div class="jppl-reading">
      <span>
        {trans.__(
          'The history is still being read: %1 of %2 events. Curves, figures and conversation come with it.',
          count(model.read),
          count(model.seq)
        )}
      </span>
      <Meter value={model.read / model.seq} label={trans.__('Loading')} />
    </div>
  ) : null;
}

function Gone() {
  const { model, trans, reconnect } = useView();
  return (
    <div class="jppl-empty" role="alert">
      <h3>
        {model.connection === 'deleted' ? trans.__('This project was deleted') : trans.__('The server does not let you in')}
      </h3>
      <p class="jppl-lead">
        {model.connection === 'deleted'
          ? trans.__('Its data and results are gone. Open another project, or begin a new one.')
          : (reasonOf(model.detail, trans) ??
            trans.__('Log in to the Jupyter server again, or ask for access to this project.'))}
      </p>
      {model.connection === 'denied' ? (
        <div class="jppl-actions">
          <SendButton busy={false} onSend={reconnect}>
            {trans.__('Try again')}
          </SendButton>
        </div>
      ) : null}
    </div>
  );
}

/** Why the connection stands as it does. */
function reasonOf({ sentence, reason }: StatusDetail, trans: Translation): string | undefined {
  return sentence ? textOf(sentence, trans) : reason;
}

/** How the connection stands, in as few words as it needs. */
function ConnectionNote() {
  const { model, trans } = useView();
  const waiting = model.detail.waiting ?? 0;
  const cut = model.connection === 'reconnecting' || (model.connection === 'connecting' && waiting > 0);
  const now = useNow(cut);
  if (model.connection === 'open') {
    return (
      <span class="jppl-connection">
        <span class="jppl-dot" aria-hidden="true" />
        {waiting ? trans._n('sending %1 message', 'sending %1 messages', waiting) : trans.__('live')}
      </span>
    );
  }
  if (cut) {
    const retry = model.detail.retryAt ? Math.max(0, Math.ceil((model.detail.retryAt - now) / 1000)) : 0;
    return (
      <span class="jppl-connection jppl-offline" data-waiting={waiting} title={reasonOf(model.detail, trans)}>
        <span class="jppl-dot" aria-hidden="true" />
        {retry > 0 ? trans.__('Not connected; trying again in %1 s.', retry) : trans.__('Not connected; trying again.')}{' '}
        {waiting
          ? trans._n('%1 message waits and is sent then.', '%1 messages wait and are sent then.', waiting)
          : trans.__('Work on the server goes on.')}
      </span>
    );
  }
  return model.connection === 'closed' ? (
    <span class="jppl-connection jppl-offline">
      <span class="jppl-dot" aria-hidden="true" />
      {reasonOf(model.detail, trans) ?? trans.__('closed')}
    </span>
  ) : null;
}

/** Server and page of different versions: what that means and what to do. */
function VersionNote() {
  const { model, trans, version } = useView();
  const notice = version && model.serverVersion ? versionNotice(model.serverVersion, version, trans) : null;
  return notice === null ? null : <p class="jppl-note jppl-note-warn">{notice}</p>;
}

/** What a screen reader says by itself: gates, the end, failures and answers, and that the connection is cut. */
function LiveRegion() {
  const { model, trans } = useView();
  const [said, setSaid] = useState<{ text: string; n: number }[]>([]);
  const say = (text: string): void => setSaid(before => [...before.slice(-4), { text, n: (before.at(-1)?.n ?? 0) + 1 }]);
  const cut = useRef(false);
  useEffect(() => {
    if (model.connection === 'reconnecting') {
      cut.current = true;
      say(trans.__('The connection is cut; trying again.'));
    } else if (model.connection === 'open' && cut.current) {
      cut.current = false;
      say(trans.__('Connected again.'));
    }
  }, [model.connection]);
  useEffect(
    () =>
      model.onMoment(moment => {
        switch (moment.kind) {
          case 'gate':
            say(trans.__('%1 waits for your decision. %2', stageName(moment.stageId, trans), moment.summary));
            break;
          case 'failed':
            say(
              moment.by
                ? trans.__('%1 was stopped by %2.', stageName(moment.stageId, trans), moment.by.name)
                : trans.__('%1 failed. %2', stageName(moment.stageId, trans), moment.message)
            );
            break;
          case 'finished':
            say(trans.__('Everything is done.'));
            break;
          case 'answer':
            say(moment.text);
            break;
        }
      }),
    [model]
  );
  return (
    <div class="jppl-visually-hidden" aria-live="polite">
      {/* An element for each, so that the same sentence again is said again, and several that come at once all are. */}
      {said.map(({ text, n }) => (
        <p key={n}>{text}</p>
      ))}
    </div>
  );
}
