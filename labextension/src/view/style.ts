/** The view's style sheet, added once to the document or shadow root that the view is in. */

export const CSS = `
.jppl-root { font: 13px/1.45 var(--jp-ui-font-family, system-ui, sans-serif); color: var(--jp-ui-font-color1, #1f2328); }
`;

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
