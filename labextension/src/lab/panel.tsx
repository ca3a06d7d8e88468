/** The left panel: the projects of this server and how each stands. */

import type { ILayoutRestorer as Restorer, JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ILayoutRestorer } from '@jupyterlab/application';
import type { TranslationBundle } from '@jupyterlab/translation';
import { closeIcon } from '@jupyterlab/ui-components';
import { Message } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';
import { render } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { dateTime, stageName } from '../view';
import { versionNotice } from '../client';
import { VERSION } from '../version';
import { pipelineIcon } from './icon';
import { Commands, NAMESPACE } from './ids';
import type { ProjectEntry } from './server';
import { IPipelines } from './tokens';

const PANEL_ID = 'jupyter-pipeline-projects';

export const panelPlugin: JupyterFrontEndPlugin<void> = {
  id: `${NAMESPACE}:panel`,
  description: 'The list of projects at the side.',
  autoStart: true,
  requires: [IPipelines],
  optional: [ILayoutRestorer],
  activate: (app: JupyterFrontEnd, pipelines: IPipelines, restorer: Restorer | null): void => {
    const panel = new ProjectsPanel(pipelines, (command, args) => void app.commands.execute(command, args));
    app.shell.add(panel, 'left', { rank: 350 });
    restorer?.add(panel, PANEL_ID);
    app.commands.addCommand(Commands.showPanel, {
      label: pipelines.trans.__('Jupyter Pipeline: Show Projects'),
      execute: () => app.shell.activateById(PANEL_ID)
    });
  }
};

type Run = (command: string, args: Record<string, string | boolean>) => void;

export class ProjectsPanel extends Widget {
  constructor(
    private readonly pipelines: IPipelines,
    private readonly run: Run
  ) {
    super();
    this.id = PANEL_ID;
    this.addClass('jp-Pipeline-panel');
    this.title.icon = pipelineIcon;
    this.title.caption = pipelines.trans.__('Pipelines');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', pipelines.trans.__('Pipelines'));
    pipelines.projects.changed.connect(this.update, this);
    pipelines.currentChanged.connect(this.update, this);
  }

  override dispose(): void {
    render(null, this.node);
    super.dispose();
  }

  protected override onAfterShow(msg: Message): void {
    super.onAfterShow(msg);
    void this.pipelines.projects.refresh().catch(() => undefined);
    this.update();
  }

  protected override onActivateRequest(msg: Message): void {
    super.onActivateRequest(msg);
    this.focus();
  }

  protected override onUpdateRequest(): void {
    const { projects, current, trans } = this.pipelines;
    const focused = this.node.contains(document.activeElement);
    render(
      <List
        entries={projects.entries.map(entry => this.pipelines.standing(entry))}
        known={projects.known}
        problem={projects.problem?.message ?? null}
        serverVersion={projects.serverVersion}
        current={current?.projectId ?? null}
        trans={trans}
        run={this.run}
      />,
      this.node
    );
    if (focused && !this.node.contains(document.activeElement)) {
      this.focus(); // it was at a project that is gone
    }
  }

  private focus(): void {
    this.node.querySelector<HTMLElement>('.jp-Pipeline-open, button:not(:disabled)')?.focus();
  }
}

interface ListProps {
  entries: readonly ProjectEntry[];
  known: boolean;
  problem: string | null;
  serverVersion: string | null;
  current: string | null;
  trans: TranslationBundle;
  run: Run;
}

function List({ entries, known, problem, serverVersion, current, trans, run }: ListProps) {
  const notice = serverVersion === null ? null : versionNotice(serverVersion, VERSION, trans);
  return (
    <>
      <div class="jp-Pipeline-head">
        <h2>{trans.__('Pipelines')}</h2>
        <button
          type="button"
          class="jp-mod-styled jp-mod-accept jp-Pipeline-new"
          disabled={!known}
          onClick={() => run(Commands.create, { isPanel: true })}
        >
          {trans.__('New project')}
        </button>
      </div>
      {problem !== null && (
        <p class="jp-Pipeline-problem" role="alert">
          {problem}
        </p>
      )}
      {notice !== null && (
        <p class="jp-Pipeline-problem" role="alert">
          {notice}
        </p>
      )}
      {!known && problem === null && <p class="jp-Pipeline-empty">{trans.__('Asking the server…')}</p>}
      {known && entries.length === 0 && (
        <p class="jp-Pipeline-empty">
          {trans.__(
            'No projects yet. Begin with a sentence and a data set: make a new project, or right-click a data file in ' +
              'the file browser and build a model from it.'
          )}
        </p>
      )}
      <ul class="jp-Pipeline-list">
        {entries.map(entry => (
          <Item key={entry.project_id} entry={entry} here={entry.project_id === current} trans={trans} run={run} />
        ))}
      </ul>
    </>
  );
}

function Item({ entry, here, trans, run }: { entry: ProjectEntry; here: boolean; trans: TranslationBundle; run: Run }) {
  const name = entry.project_id;
  const close = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    closeIcon.element({ container: close.current!, tag: 'span', elementSize: 'small' });
  }, []);
  return (
    <li
      class={here ? 'jp-mod-current' : ''}
      // Not the names by which a view and its stages are found on a page.
      data-name={name}
      data-at={entry.current_stage}
      data-status={entry.status}
      data-stopped={entry.ended_by ? '' : undefined}
    >
      <button
        type="button"
        class="jp-Pipeline-open"
        aria-current={here ? 'true' : undefined}
        title={trans.__('Open %1, last changed %2', name, dateTime(entry.updated_ts))}
        onClick={() => run(Commands.open, { project: name })}
      >
        <span class="jp-Pipeline-name">{name}</span>
        <span class="jp-Pipeline-state">
          <span class="jp-Pipeline-dot" aria-hidden="true" />
          {howItStands(entry, trans)}
        </span>
      </button>
      <button
        type="button"
        class="jp-Pipeline-delete"
        aria-label={trans.__('Delete %1', name)}
        title={trans.__('Delete %1', name)}
        onClick={() => run(Commands.remove, { project: name })}
      >
        <span ref={close} />
      </button>
    </li>
  );
}

/** How a project stands, in a few words. */
export function howItStands(
  { current_stage, status, ended_by }: Pick<ProjectEntry, 'current_stage' | 'status' | 'ended_by'>,
  trans: TranslationBundle
): string {
  const stage = stageName(current_stage, trans);
  if (ended_by) {
    return trans.__('%1 was stopped by %2', stage, ended_by.name);
  }
  switch (status) {
    case 'PENDING':
      return trans.__('%1 has not begun', stage);
    case 'IN_PROGRESS':
      return trans.__('%1 is running', stage);
    case 'WAITING_CONFIRMATION':
      return trans.__('%1 waits for you', stage);
    case 'FAILED':
      return trans.__('%1 failed', stage);
    case 'SKIPPED':
      return trans.__('%1 was skipped', stage);
    case 'COMPLETED':
      return trans.__('%1 is done', stage);
  }
}
