/** The colours and the font of a chart, as the page has them now. */

export interface Theme {
  foreground: string;
  muted: string;
  grid: string;
  font: string;
  /** How much of its colour a curve in the background has. */
  faint: number;
  /** The colour of a CSS variable. */
  colour(name: string): string;
}

export function themeOf(host: HTMLElement): Theme {
  const style = getComputedStyle(host);
  const foreground = style.color;
  const known = new Map<string, string>();
  return {
    foreground,
    muted: resolved(host, 'var(--jppl-muted)', foreground),
    grid: resolved(host, 'var(--jppl-grid)', '#ddd'),
    font: style.fontFamily,
    faint: Number(style.getPropertyValue('--jppl-faint')),
    colour: name => {
      let found = known.get(name);
      if (found === undefined) {
        found = style.getPropertyValue(name).trim() || foreground;
        known.set(name, found);
      }
      return found;
    }
  };
}

/** A colour that may be computed from others, as the browser resolves it. */
function resolved(host: HTMLElement, colour: string, otherwise: string): string {
  const probe = document.createElement('span');
  probe.style.color = colour;
  probe.style.display = 'none';
  host.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found || otherwise;
}
