/** What the plugins of this extension share, and others may use. */

import type { ITranslator, TranslationBundle } from '@jupyterlab/translation';
import { Token } from '@lumino/coreutils';
import type { ISignal } from '@lumino/signaling';
import type { ProjectModel } from '../view';
import type { Projects } from './projects';
import type { ProjectEntry, Server } from './server';
import type { ProjectContent } from './view';

export interface IPipelines {
  readonly server: Server;
  /** The projects of the server, as they are now. */
  readonly projects: Projects;
  readonly trans: TranslationBundle;
  readonly translator: ITranslator;
  /** The view that is in front, or was last; null if none is open. */
  readonly current: ProjectContent | null;
  /** Another view came to the front, or a project that is shown came to another stage, gate or percent. */
  readonly currentChanged: ISignal<IPipelines, void>;
  /** Whether a person sees the project now, in a panel of its own or below a cell. */
  isVisible(projectId: string): boolean;
  /** What is known of a project that is shown somewhere; null if it is not. */
  modelOf(projectId: string): ProjectModel | null;
  /** A project as it stands now, also where a view has heard more than the list. */
  standing(entry: ProjectEntry): ProjectEntry;
  /** Make a view of a project; whoever calls this puts it somewhere and disposes of it. */
  createContent(projectId: string): ProjectContent;
}

export const IPipelines = new Token<IPipelines>(
  'jupyter-pipeline:IPipelines',
  'The machine learning projects of this Jupyter server, and the views that are open.'
);
