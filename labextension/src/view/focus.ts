/** Where the focus goes when what had it is gone. */

import type { RefObject } from 'preact';
import { useEffect } from 'preact/hooks';

/**
 * Whoever works in the view goes on from its heading when the control that was used is gone (a gate that was confirmed,
 * a run that ended), not from the top of the page. The focus is not taken from elsewhere on the page.
 */
export function useKeptFocus(root: RefObject<HTMLElement>, heading: RefObject<HTMLElement>): void {
  useEffect(() => {
    const box = root.current!;
    const host = box.getRootNode() as Document | ShadowRoot;
    /** What was used last, if that was in the view. */
    let used: Element | null = null;
    const note = (event: Event): void => {
      const path = event.composedPath();
      used = path.includes(box) ? (path[0] as Element) : null;
    };
    const observer = new MutationObserver(() => {
      if (used !== null && !used.isConnected && (host.activeElement === null || host.activeElement === document.body)) {
        heading.current?.focus({ preventScroll: true });
      }
    });
    document.addEventListener('focusin', note, true);
    document.addEventListener('pointerdown', note, true);
    observer.observe(box, { childList: true, subtree: true });
    return () => {
      document.removeEventListener('focusin', note, true);
      document.removeEventListener('pointerdown', note, true);
      observer.disconnect();
    };
  }, []);
}

/**
 * A key that the view's own controls answer to (an arrow in a list of choices, a letter) is theirs: in a notebook's cell
 * JupyterLab would go to another cell, or insert one. Keys with Control, Alt or Command stay its shortcuts.
 */
export function useOwnKeys(root: RefObject<HTMLElement>): void {
  useEffect(() => {
    const note = (event: KeyboardEvent): void => {
      const target = event.composedPath()[0];
      if (target instanceof Element && root.current?.contains(target)) {
        // What JupyterLab's registry of commands asks of the element itself; it listens at the document, so this comes first.
        target.toggleAttribute('data-lm-suppress-shortcuts', !event.ctrlKey && !event.altKey && !event.metaKey);
      }
    };
    addEventListener('keydown', note, true);
    return () => removeEventListener('keydown', note, true);
  }, []);
}
