/** The question which stage shall run again, and what that means. */

import { Dialog, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { restartable, stageName, whatRunsAgain, type ProjectModel, type StageId } from '../view';
import { Choice } from './choice';

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

class StageChoice extends Choice<StageId> {
  private readonly meaning = document.createElement('p');
  private readonly unsubscribe: () => void;

  constructor(
    private readonly model: ProjectModel,
    private readonly trans: TranslationBundle
  ) {
    const stages = restartable(model).map(id => [id, stageName(id, trans)] as const);
    super(trans.__('Stage'), stages, model.current);
    this.addClass('jp-Pipeline-restart');
    this.list.onchange = () => this.tell();
    this.meaning.setAttribute('role', 'status');
    this.node.append(this.meaning);
    this.tell();
    // The project may go on while the question stands.
    this.unsubscribe = model.subscribe(() => this.tell());
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
