/** The conversation: what was said, and the box to say something. */

import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Translation } from '../translation';
import { useView } from './context';
import type { ProjectModel } from './model';
import { clock } from './numbers';
import { Icon, SendButton } from './parts';
import { Attach, Uploads } from './uploads';

/** Lines that are shown at first, and more at each press. */
const LINES = 60;

function roomOf({ clientWidth, clientHeight }: HTMLElement): string {
  return `${clientWidth} ${clientHeight}`;
}

export function ChatLines() {
  const { model, trans } = useView();
  const list = useRef<HTMLOListElement>(null);
  const atEnd = useRef(true);
  /** The room for the list, as the browser told of it last. */
  const room = useRef('');
  const [most, setMost] = useState(LINES);
  /** From the top of what is seen to the end of the list, while earlier lines are put before it. */
  const rest = useRef<number | null>(null);
  const lines = model.chat.slice(-most);
  // What comes back at once is not worth showing twice.
  const waiting = model.connection === 'open' ? [] : [...model.unheard];
  const last = `${lines[lines.length - 1]?.seq} ${waiting.length}`;
  useLayoutEffect(() => {
    if (list.current && atEnd.current) {
      list.current.scrollTop = list.current.scrollHeight;
    }
  }, [last]);
  const empty = lines.length === 0 && waiting.length === 0;
  useEffect(() => {
    const box = list.current;
    if (box) {
      // Also when there is more room for it, or less.
      const watcher = new ResizeObserver(() => {
        room.current = roomOf(box);
        if (atEnd.current) {
          box.scrollTo(0, box.scrollHeight);
        }
      });
      watcher.observe(box);
      return () => watcher.disconnect();
    }
  }, [empty]);
  useLayoutEffect(() => {
    if (list.current && rest.current !== null) {
      list.current.scrollTop = list.current.scrollHeight - rest.current;
      list.current.focus({ preventScroll: true }); // the button may be gone
      rest.current = null;
    }
  }, [most]);
  if (empty) {
    return (
      <p class="jppl-muted jppl-chat-empty">
        {trans.__('Say what should be different, or ask. Nothing runs before you confirm it.')}
      </p>
    );
  }
  return (
    <ol
      class="jppl-lines"
      ref={list}
      tabIndex={0}
      aria-label={trans.__('Conversation')}
      onScroll={e => {
        const box = e.currentTarget;
        // Where the room changes the browser scrolls as well, perhaps before it says that it changed.
        if (roomOf(box) === room.current) {
          atEnd.current = box.scrollHeight - box.scrollTop - box.clientHeight < 24;
        }
      }}
    >
      {model.chat.length > most ? (
        <li>
          <button
            type="button"
            class="jppl-link"
            onClick={() => {
              rest.current = list.current!.scrollHeight - list.current!.scrollTop;
              setMost(most + LINES);
            }}
          >
            {trans.__('Show earlier lines')}
          </button>
        </li>
      ) : null}
      {lines.map(line => {
        const mine = line.source === 'user' || line.source === 'command';
        return (
          <li key={line.seq} class={mine ? 'jppl-mine' : 'jppl-theirs'}>
            <span class="jppl-who">
              {!mine
                ? trans.__('Assistant')
                : line.by && line.by.username !== model.user?.username
                  ? line.by.name
                  : trans.__('You')}{' '}
              <time>{clock(line.ts)}</time>
            </span>
            <span class="jppl-text" dir="auto">
              {line.text}
            </span>
          </li>
        );
      })}
      {waiting.map(([id, text]) => (
        <li key={id} class="jppl-mine jppl-unheard">
          <span class="jppl-who">{trans.__('You; waits for the connection')}</span>
          <span class="jppl-text" dir="auto">
            {text}
          </span>
        </li>
      ))}
    </ol>
  );
}

/** What can be said now. */
export function hintFor(model: ProjectModel, trans: Translation): string {
  return trans.__('For example: %1', exampleFor(model));
}

/** An example that is understood (docs/requests.md): not translated, for what reads it may know English alone. */
function exampleFor(model: ProjectModel): string {
  switch (model.current) {
    case 'PARSE_INTENT':
      return 'optimise recall, keep it under two minutes';
    case 'DATA_SOURCE':
      return model.stage.status === 'FAILED'
        ? `predict price in ${model.datasets[0]?.name ?? 'houses.csv'}`
        : model.stage.plan?.task_type === 'regression'
          ? 'minimise MAE'
          : 'optimise F1';
    case 'PROFILE_DATA': {
      const roles: Record<string, string> = model.stages.PROFILE_DATA.plan?.roles ?? {};
      const column = Object.keys(roles).find(name => roles[name] === 'feature');
      return column ? `drop ${column}` : 'which columns are used?';
    }
    case 'PREPROCESS':
      return '25% test rows';
    case 'MODEL_SELECT': {
      const chosen: string[] = model.stage.plan?.models?.map((choice: { id: string }) => choice.id) ?? [];
      const other = model.models.find(candidate => !chosen.includes(candidate.id));
      return other ? `add ${other.name}` : 'why these models?';
    }
    case 'TRAIN':
      return model.stage.status === 'IN_PROGRESS' ? 'what is the best so far?' : 'take the second best model';
    case 'REVIEW_EDIT':
      return 'leave the notebook out';
    case 'EXPORT':
      return 'what can I ask?';
  }
}

/** The box to say something in. What is typed and not sent stays when the page is loaded again. */
export function Composer({ large, hint }: { large?: boolean; hint: string }) {
  const { model, trans, send } = useView();
  const key = `jppl-draft-${model.projectId}`;
  const [text, setText] = useState(() => stored(key));
  const [problem, setProblem] = useState<string | null>(null);
  const box = useRef<HTMLTextAreaElement>(null);
  useLayoutEffect(() => {
    const area = box.current;
    if (area) {
      area.style.height = 'auto';
      // Empty it has its two rows; and before it is on the page it has no height to be asked for.
      if (text && area.scrollHeight > 0) {
        area.style.height = `${Math.min(180, area.scrollHeight + 2)}px`;
      }
    }
  }, [text]);
  useEffect(() => store(key, text), [key, text]);
  useEffect(() => {
    const { returned } = model;
    if (returned) {
      model.returned = null;
      setProblem(returned.why);
      setText(now => [now, ...returned.texts].filter(Boolean).join('\n'));
    }
  }, [model.returned]);
  useEffect(() => {
    // Whoever opened an empty project can type at once; the focus is not taken from elsewhere on the page.
    const active = (box.current?.getRootNode() as Document | ShadowRoot | undefined)?.activeElement;
    if (large && active && active !== document.body && active.contains(box.current)) {
      box.current!.focus({ preventScroll: true });
    }
  }, [large]);
  const submit = (): void => {
    const said = text.trim();
    if (!said) {
      return;
    }
    setProblem(null);
    send({ type: 'chat', text: said });
    setText('');
  };
  return (
    <form
      class={`jppl-composer ${large ? 'jppl-composer-large' : ''}`}
      onSubmit={event => {
        event.preventDefault();
        submit();
      }}
    >
      <textarea
        ref={box}
        class="jppl-input"
        dir="auto"
        rows={large ? 3 : 2}
        maxLength={20000}
        aria-label={trans.__('Message')}
        placeholder={hint}
        value={text}
        onInput={e => setText(e.currentTarget.value)}
        onKeyDown={e => {
          // JupyterLab has shortcuts of its own on Enter with Shift or Control.
          e.stopPropagation();
          if (e.key === 'Enter' && !e.shiftKey && !e.isComposing) {
            e.preventDefault();
            submit();
          }
        }}
      />
      <Uploads />
      <div class="jppl-composer-row">
        <Attach />
        <SendButton type="submit" look={`jppl-button ${large ? 'jppl-primary-button' : ''}`} busy={!text.trim()}>
          {trans.__('Send')}
          <Icon name="send" />
        </SendButton>
      </div>
      {problem ? (
        <p class="jppl-note jppl-note-bad" role="alert">
          {problem}
        </p>
      ) : null}
    </form>
  );
}

function stored(key: string): string {
  try {
    return sessionStorage.getItem(key) ?? '';
  } catch {
    return '';
  }
}

function store(key: string, text: string): void {
  try {
    if (text) {
      sessionStorage.setItem(key, text);
    } else {
      sessionStorage.removeItem(key);
    }
  } catch {
    // A page without storage forgets the draft when it is loaded again.
  }
}
