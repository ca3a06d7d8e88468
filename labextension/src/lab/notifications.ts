/** Tells of projects that nobody looks at: a gate that opened, the end, a failure. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { stageName } from '../view';
import { Commands, NAMESPACE, PLUGIN } from './ids';
import type { ProjectEntry } from './server';
import { IPipelines } from './tokens';

type Kind = 'gates' | 'end' | 'failures';

export const notificationsPlugin: JupyterFrontEndPlugin<void> = {
  id: `${NAMESPACE}:notifications`,
  description: 'Notifications at gates, at the end and on failure.',
  autoStart: true,
  requires: [IPipelines],
  optional: [ISettingRegistry],
  activate: async (app: JupyterFrontEnd, pipelines: IPipelines, registry: ISettingRegistry | null): Promise<void> => {
    const usual = { gates: true, end: true, failures: true, whenVisible: false };
    const wanted = { ...usual };
    if (registry) {
      try {
        const settings = await registry.load(PLUGIN);
        const read = () => Object.assign(wanted, usual, settings.composite['notifications']);
        settings.changed.connect(read);
        read();
      } catch (error) {
        console.warn('The settings of Jupyter Pipeline cannot be read; its notifications are on.', error);
      }
    }
    const { projects } = pipelines;
    const seen = new Map<string, ProjectEntry>();
    const shown = new Map<string, { id: string; entry: ProjectEntry }>();
    let first = true;

    projects.changed.connect(() => {
      if (!projects.known) {
        return;
      }
      for (const entry of projects.entries) {
        const before = seen.get(entry.project_id);
        seen.set(entry.project_id, entry);
        const same = before && before.epoch === entry.epoch && before.seq === entry.seq;
        if (first || same) {
          continue;
        }
        const turned = !before || before.status !== entry.status || before.current_stage !== entry.current_stage;
        const kind = kindOf(entry);
        if (!turned && kind !== 'gates') {
          continue;
        }
        if (turned) {
          withdraw(entry.project_id);
        }
        const news = turned && !overtaken(entry);
        if (news && kind && wanted[kind] && (wanted.whenVisible || !pipelines.isVisible(entry.project_id))) {
          shown.set(entry.project_id, { id: notify(kind, entry), entry });
        }
      }
      for (const id of [...seen.keys()]) {
        if (!projects.find(id)) {
          seen.delete(id);
          withdraw(id);
        }
      }
      first = false;
    });
    pipelines.currentChanged.connect(() => {
      for (const [project, { entry }] of [...shown]) {
        if (overtaken(entry)) {
          withdraw(project);
        }
      }
    });

    /** Whether a view on this page, which hears at once, says that the project has gone on. */
    function overtaken(entry: ProjectEntry): boolean {
      const model = pipelines.modelOf(entry.project_id);
      const known = model !== null && model.ready && !model.catchingUp && model.epoch === entry.epoch;
      return known && model.seq > entry.seq && (model.current !== entry.current_stage || model.stage.status !== entry.status);
    }

    function withdraw(project: string): void {
      const told = shown.get(project);
      if (told) {
        Notification.dismiss(told.id);
        shown.delete(project);
      }
    }

    function notify(kind: Kind, entry: ProjectEntry): string {
      const { trans } = pipelines;
      const stage = stageName(entry.current_stage, trans);
      const actions = [
        {
          label: trans.__('Open'),
          caption: trans.__('Open the project %1', entry.project_id),
          displayType: 'accent' as const,
          callback: () => void app.commands.execute(Commands.open, { project: entry.project_id })
        }
      ];
      switch (kind) {
        case 'gates':
          return Notification.info(trans.__('%1: %2 waits for your confirmation.', entry.project_id, stage), {
            autoClose: 10_000,
            actions
          });
        case 'end':
          return Notification.success(trans.__('%1: the model is exported.', entry.project_id), {
            autoClose: 10_000,
            actions
          });
        case 'failures':
          return entry.ended_by
            ? Notification.warning(trans.__('%1: %2 was stopped by %3.', entry.project_id, stage, entry.ended_by.name), {
                autoClose: 10_000,
                actions
              })
            : Notification.error(trans.__('%1: %2 failed.', entry.project_id, stage), { autoClose: false, actions });
      }
    }
  }
};

function kindOf(entry: ProjectEntry): Kind | null {
  switch (entry.status) {
    case 'WAITING_CONFIRMATION':
      return 'gates';
    case 'FAILED':
      return 'failures';
    case 'COMPLETED':
      return entry.current_stage === 'EXPORT' ? 'end' : null;
    default:
      return null;
  }
}
