/** What a dialog asks with a list. */

import type { Dialog } from '@jupyterlab/apputils';
import { Widget } from '@lumino/widgets';

/** A list with its label, which JupyterLab's own question has beside the list, but not as its name. */
export class Choice<T extends string> extends Widget implements Dialog.IBodyWidget<T> {
  protected readonly list = document.createElement('select');

  constructor(label: string, options: readonly (readonly [id: T, name: string])[], chosen: T) {
    super();
    const name = document.createElement('label');
    name.textContent = label;
    name.htmlFor = this.list.id = 'jp-Pipeline-choice';
    for (const [id, text] of options) {
      this.list.append(new Option(text, id));
    }
    this.list.value = chosen;
    this.node.append(name, this.list);
  }

  getValue(): T {
    return this.list.value as T;
  }
}
