/**
 * The view's style sheet, added once to the document or shadow root that the view is in. Colours are JupyterLab's where
 * it has set them, else this sheet's own, light or dark as the reader's system is.
 */

import { CONTROLS } from './css/controls';
import { FIGURES } from './css/figures';
import { FRAME } from './css/frame';
import { SIZES } from './css/sizes';
import { TALK } from './css/talk';

/** Where two rules are equal the later one counts: those of sizes are last. */
export const CSS = FRAME + CONTROLS + FIGURES + TALK + SIZES;

export function injectStyle(element: HTMLElement): void {
  const root = element.getRootNode();
  const place = root instanceof ShadowRoot ? root : document.head;
  if (!place.querySelector('style[data-jppl]')) {
    const style = document.createElement('style');
    style.dataset.jppl = '';
    style.textContent = CSS;
    place.append(style);
  }
}
