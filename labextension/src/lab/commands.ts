/** Commands about projects and about the one whose view is in front. */

import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Dialog, InputDialog, Notification, showDialog } from '@jupyterlab/apputils';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { isProjectId } from '../client';
import { stageName, whatIsLost } from '../view';
import { Choice } from './choice';
import { pipelineIcon } from './icon';
import { Commands, freeName } from './ids';
import { projectNamed, type Pipelines } from './main';
import { askStage } from './restart';

type Args = ReadonlyPartialJSONObject;

export function addCommands(app: JupyterFrontEnd, pipelines: Pipelines): void {
  const { commands } = app;
  const { projects, trans } = pipelines;

  /** In the palette and the menus each says whose command it is. */
  const label = (text: string) => (args: Args) => (args['isLauncher'] || args['isPanel'] ? text : trans.__('Jupyter Pipeline: %1', text));
  /** The open gate and the connection of the view in front. */
  const front = () => ({ content: pipelines.current, model: pipelines.current?.model ?? null });

  commands.addCommand(Commands.open, {
    label: label(trans.__('Open Project')),
    caption: trans.__('Open the view of a machine learning project'),
    describedBy: { args: { type: 'object', properties: { project: { type: 'string' }, besides: { type: 'string' } } } },
    execute: async args => {
      const given = args['project'];
      const project = given === undefined ? await choose(pipelines) : given;
      if (project === null) {
        return null;
      }
      if (!isProjectId(project)) {
        throw new Error(trans.__('%1 cannot be the name of a project.', String(project)));
      }
      return pipelines.open(project, typeof args['besides'] === 'string' ? { besides: args['besides'] } : {});
    }
  });

  commands.addCommand(Commands.create, {
    label: label(trans.__('New Project')),
    caption: trans.__('From a sentence and a data set to a model'),
    icon: args => (args['isPalette'] ? undefined : pipelineIcon),
    describedBy: { args: { type: 'object', properties: { name: { type: 'string' } } } },
    execute: async args => {
      const name = typeof args['name'] === 'string' ? args['name'] : await askName(pipelines);
      const project = name === null ? null : projectNamed(name);
      return project === null ? null : pipelines.open(project);
    }
  });

  commands.addCommand(Commands.remove, {
    label: label(trans.__('Delete Project…')),
    describedBy: { args: { type: 'object', properties: { project: { type: 'string' } } } },
    isEnabled: args => typeof args['project'] === 'string' || pipelines.current !== null,
    execute: async args => {
      const project = (args['project'] as string | undefined) ?? pipelines.current?.projectId;
      if (!isProjectId(project)) {
        return;
      }
      const answer = await showDialog({
        title: trans.__('Delete the project %1?', project),
        body: await lostWith(pipelines, project),
        buttons: [Dialog.cancelButton(), Dialog.warnButton({ label: trans.__('Delete') })],
        defaultButton: 0
      });
      if (!answer.button.accept) {
        return;
      }
      try {
        await projects.remove(project);
        pipelines.close(project);
      } catch (error) {
        Notification.error(trans.__('%1 was not deleted: %2', project, (error as Error).message), { autoClose: false });
      }
    }
  });

  commands.addCommand(Commands.confirm, {
    label: label(trans.__('Confirm')),
    caption: trans.__('Approve what the open gate of the project in front proposes'),
    isEnabled: () => front().model?.gate != null,
    execute: () => {
      const { content, model } = front();
      const gate = model?.gate;
      if (!content || !gate) {
        return;
      }
      if (Object.keys(model.unsent(gate.stageId)).length) {
        // Without them it would be another plan than the one that is seen.
        const name = stageName(gate.stageId, trans);
        const message = trans.__('Not confirmed: the form of %1 has changes that were not sent. Confirm or undo them there.', name);
        model.report({ code: '', message });
      } else {
        content.send({ type: 'confirm', stage_id: gate.stageId, gate_id: gate.gateId });
      }
    }
  });

  const cancel = (mode: 'stop' | 'finish') => ({
    isEnabled: () => front().model?.stage.status === 'IN_PROGRESS',
    execute: () => front().content?.send({ type: 'command', command: 'cancel_run', args: { mode } })
  });
  commands.addCommand(Commands.cancel, { label: label(trans.__('Cancel Run')), ...cancel('stop') });
  commands.addCommand(Commands.finish, {
    label: label(trans.__('Finish Run with the Best so Far')),
    isEnabled: () => {
      const { model } = front();
      return model?.current === 'TRAIN' && model.stage.status === 'IN_PROGRESS';
    },
    execute: cancel('finish').execute
  });

  commands.addCommand(Commands.restart, {
    label: label(trans.__('Restart Stage…')),
    isEnabled: () => front().model?.isEmpty === false,
    execute: async () => {
      const { content, model } = front();
      if (!content || !model) {
        return;
      }
      const stage = await askStage(model, trans);
      if (stage !== null) {
        // As the button in the view does it.
        const params = model.unsent(stage);
        const args = { stage_id: stage, ...(Object.keys(params).length ? { params } : {}) };
        content.send({ type: 'command', command: 'restart_stage', args });
      }
    }
  });

  const ofState = [Commands.confirm, Commands.cancel, Commands.finish, Commands.restart, Commands.remove];
  pipelines.currentChanged.connect(() => ofState.forEach(id => commands.notifyCommandChanged(id)));
}

/** What goes with a project, as the server has it. */
async function lostWith({ server, trans }: Pipelines, project: string): Promise<string> {
  try {
    const state = await server.state(project);
    const its = {
      runs: state.runs.length,
      decisions: state.decisions.length,
      events: state.seq,
      uploads: state.datasets.filter(dataset => dataset.source === 'upload').map(dataset => dataset.name),
      exported: state.export !== null,
      running: state.stages.some(stage => stage.status === 'IN_PROGRESS')
    };
    return whatIsLost(its, trans).join(' ');
  } catch {
    return trans.__('Everything in its folder is gone for everybody, and for good; what is running is stopped.');
  }
}

/** Ask which project; makes a new one where there is none. */
async function choose(pipelines: Pipelines): Promise<string | null> {
  const { projects, trans } = pipelines;
  await projects.refresh().catch(() => undefined);
  if (projects.problem) {
    Notification.error(projects.problem.message, { autoClose: false });
    return null;
  }
  const names = projects.entries.map(entry => entry.project_id);
  if (names.length === 0) {
    const name = await askName(pipelines);
    return name === null ? null : projectNamed(name);
  }
  const answer = await showDialog({
    title: trans.__('Open a project'),
    body: new Choice(trans.__('Project'), names.map(name => [name, name] as const), names[0]),
    buttons: [Dialog.cancelButton(), Dialog.okButton({ label: trans.__('Open') })],
    focusNodeSelector: 'select'
  });
  return answer.button.accept ? answer.value : null;
}

async function askName({ projects, trans }: Pipelines): Promise<string | null> {
  const free = freeName('project', projects.entries.map(entry => entry.project_id));
  const answer = await InputDialog.getText({
    title: trans.__('New project'),
    label: trans.__('Name: letters, digits, dots, hyphens'),
    text: free,
    selectionRange: free.length,
    okLabel: trans.__('Create')
  });
  return answer.button.accept && answer.value ? answer.value.trim() : null;
}
