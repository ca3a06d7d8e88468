/** The live view of one project, for a JupyterLab panel, a notebook cell or any page. */

import { render } from 'preact';
import type { ConnectionHandlers } from '../client/connection';
import { storage } from '../client/outbox';
import { messageOf } from '../client/sentences';
import { App } from './app';
import { Context, Problem, ViewContext } from './context';
import { ProjectModel } from './model';
import type { Translation, ViewOptions } from './options';
import { Past } from './past';
import { inLabels } from './planwords';
import { setLanguage } from './numbers';
import { injectStyle } from './style';
import { english } from '../translation';
import { VERSION } from '../version';

export { ProjectModel } from './model';
export type * from './records';
export type { Predictions, Row, Translation, ViewHost, ViewOptions, ViewRest } from './options';
export { whatIsLost } from './delete';
export type { Belongings } from './delete';
export { restartable, whatRunsAgain } from './restart';
export { STAGES } from './stages';
export type { StageId, StageStatus } from './stages';
export { dateTime, setLanguage } from './numbers';
export { stageName } from '../protocol/names';

/** Run before the next picture; in a hidden page, where there is none, soon. */
export function schedule(callback: () => void): void {
  if (document.visibilityState === 'visible') {
    requestAnimationFrame(callback);
  } else {
    setTimeout(callback, 200);
  }
}

let mounted = 0;

/**
 * Show a project in an element.
 *
 * @returns an object whose `dispose` closes the connection and empties the element.
 */
export function mountView(element: HTMLElement, options: ViewOptions): { dispose(): void } {
  injectStyle(element);
  setLanguage(options.language ?? null);
  const model = new ProjectModel(options.projectId, schedule, storage('sessionStorage'));
  const problems = new Map<string, (problem: Problem) => void>();
  const view: ViewContext = {
    model,
    rest: options.rest,
    host: options.host ?? {},
    trans: options.trans ?? english,
    version: options.version ?? VERSION,
    uid: `jppl-${++mounted}`,
    send: (message, onProblem) => {
      const id = connection.send(message);
      if (message.type === 'chat') {
        model.said(id, String(message.text));
      }
      if (onProblem) {
        problems.set(id, onProblem);
        if (problems.size > 100) {
          problems.delete(problems.keys().next().value!);
        }
      }
      return id;
    },
    command: (command, args, onProblem) => view.send({ type: 'command', command, args }, onProblem),
    reconnect: () => {
      connection.close();
      connection = options.connect(handlers);
    }
  };
  const past = new Past(model, options.rest);
  options.host?.onModel?.(model);
  const handlers: ConnectionHandlers = {
    onStatusChange: (status, detail) => model.setConnection(status, detail ?? {}),
    onEvent: event => {
      model.apply(event);
      if (event.event.name === 'HELLO') {
        void past.greeted(message => connection.send(message));
      }
    },
    onError: error => {
      const problem = problemOf(error, view.trans);
      const message = error?.original_message;
      const id = error?.id ?? message?.id;
      const said = message?.type === 'chat' ? String(message.text) : model.unheard.get(id);
      const heard = problems.get(id);
      problems.delete(id);
      model.unsaid(id);
      if (said !== undefined) {
        model.giveBack(said, problem.message);
      } else if (heard) {
        heard(problem);
      } else {
        model.report(problem);
      }
    }
  };
  let connection = options.connect(handlers);
  render(
    <Context.Provider value={view}>
      <App />
    </Context.Provider>,
    element
  );
  return {
    dispose: () => {
      past.end();
      connection.close();
      render(null, element);
    }
  };
}

/** What an error frame, or a sentence about the connection, says to a person. */
function problemOf(error: any, trans: Translation): Problem {
  const [code, message] = [String(error?.code ?? ''), messageOf(error, trans)];
  return { code, message: code === 'INVALID_ARGS' ? inLabels(message, trans) : message };
}
