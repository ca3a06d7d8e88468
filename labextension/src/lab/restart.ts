/** The question which stage shall run again, and what that means. */

import { Dialog, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';
import { restartable, stageName, whatRunsAgain, type ProjectModel, type StageId } from '../view';

/** Ask; null where the answer is no. */
export async function askStage(model: ProjectModel, trans: TranslationBundle): Promise<StageId | null> {
  const body = new StageChoice(model, trans);
  const answer = await showDialog({
    title: trans.__('Restart a stage of %1', model.projectId),
    body,
    buttons: [Dialog.cancelButton(), Dialog.okButton({ label: trans.__('Restart') })],
    focusNodeSelector: 'select'
  });
  return answer.button.accept ? answer.value : null;
}

class StageChoice extends Widget implements Dialog.IBodyWidget<StageId> {
  private readonly list = document.createElement('select');
  private readonly meaning = document.createElement('p');
  private readonly unsubscribe: () => void;

  constructor(
    private readonly model: ProjectModel,
    private readonly trans: TranslationBundle
  ) {
    super();
    this.addClass('jp-Pipeline-restart');
    const label = document.createElement('label');
    label.textContent = trans.__('Stage');
    label.htmlFor = this.list.id = 'jp-Pipeline-restart-stage';
    for (const id of restartable(model)) {
      this.list.append(new Option(stageName(id, trans), id, false, id === model.current));
    }
    this.list.value = model.current;
    this.list.onchange = () => this.tell();
    this.meaning.setAttribute('role', 'status');
    this.node.append(label, this.list, this.meaning);
    this.tell();
    // The project may go on while the question stands.
    this.unsubscribe = model.subscribe(() => this.tell());
  }

  getValue(): StageId {
    return this.list.value as StageId;
  }

  override dispose(): void {
    this.unsubscribe();
    super.dispose();
  }

  private tell(): void {
    const stage = this.getValue();
    const text = whatRunsAgain(this.model, stage, Object.keys(this.model.unsent(stage)), this.trans);
    if (this.meaning.textContent !== text) {
      this.meaning.textContent = text;
    }
  }
}
