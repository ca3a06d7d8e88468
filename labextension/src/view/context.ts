/** What every part of the view stands on, and the hooks by which a part follows the model. */

import { createContext } from 'preact';
import { useContext, useEffect, useState } from 'preact/hooks';
import type { ProjectModel } from './model';
import type { Translation, ViewHost, ViewRest } from './options';
import type { Json } from './records';

export interface Problem {
  code: string;
  message: string;
}

export interface ViewContext {
  model: ProjectModel;
  rest: ViewRest;
  host: ViewHost;
  trans: Translation;
  version: string;
  /** Unlike that of any other view on the page, which may show the same project. */
  uid: string;
  /** Send a client message; `onProblem` hears if the server refuses it. Returns its id. */
  send(message: Record<string, Json>, onProblem?: (problem: Problem) => void): string;
  command(command: string, args: Record<string, Json>, onProblem?: (problem: Problem) => void): string;
  /** Connect once more, after the server did not let one in. */
  reconnect(): void;
}

/** So long a server may take to answer what was sent. */
const ANSWER_MS = 20_000;

export const Context = createContext<ViewContext>(null as unknown as ViewContext);

export function useView(): ViewContext {
  return useContext(Context);
}

/** Render again when there is something else to see. */
export function useStructure(model: ProjectModel): number {
  const [version, setVersion] = useState(model.structureVersion);
  useEffect(() => {
    const check = (): void => setVersion(model.structureVersion);
    check();
    return model.subscribe(check);
  }, [model]);
  return version;
}

/**
 * Render again when numbers move, at most once in `every` milliseconds. All parts with the same `every` do so at the same
 * moment: the page is laid out once for all of them, not once for each.
 */
export function useNumbers(model: ProjectModel, every = 200): number {
  const [version, setVersion] = useState(model.version);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | null = null;
    const show = (): void => {
      timer = null;
      setVersion(model.version);
    };
    const stop = model.subscribe(() => {
      if (timer === null) {
        timer = setTimeout(show, every - (performance.now() % every));
      }
    });
    return () => {
      stop();
      if (timer !== null) {
        clearTimeout(timer);
      }
    };
  }, [model, every]);
  return version;
}

/**
 * Give up waiting for what was sent once the server has had time to answer. Without a connection that time does not run:
 * the message waits as well, and a second one would be refused when both are there.
 */
export function useGiveUp(waiting: boolean, connected: boolean, giveUp: () => void): void {
  useEffect(() => {
    if (waiting && connected) {
      const timer = setTimeout(giveUp, ANSWER_MS);
      return () => clearTimeout(timer);
    }
  }, [waiting, connected]);
}

/**
 * A message that is sent once: it is busy from then on until what it is about has changed (`until`), or the server refuses
 * it, or does not answer.
 */
export function useSending(...until: unknown[]): {
  busy: boolean;
  send(message: Record<string, Json>, onProblem?: (problem: Problem) => void): void;
} {
  const view = useView();
  const { model } = view;
  const [busy, setBusy] = useState(false);
  useEffect(() => setBusy(false), until);
  useGiveUp(busy, model.connection === 'open', () => setBusy(false));
  const send = (message: Record<string, Json>, onProblem = (problem: Problem): void => model.report(problem)): void => {
    setBusy(true);
    view.send(message, problem => {
      setBusy(false);
      onProblem(problem);
    });
  };
  return { busy, send };
}

/** The same for what is said by a button: until it stands in the conversation, or comes back. */
export function useSaying(): { busy: boolean; say(text: string): void } {
  const { model } = useView();
  const { busy, send } = useSending(model.chat.at(-1)?.seq, model.returned);
  return { busy, say: text => send({ type: 'chat', text }) };
}

/** The time, each `every` milliseconds while `active`. */
export function useNow(active: boolean, every = 1000): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    if (!active) {
      return;
    }
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), every);
    return () => clearInterval(timer);
  }, [active, every]);
  return now;
}
