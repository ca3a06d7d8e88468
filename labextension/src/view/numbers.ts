/** Numbers, sizes and times for people, in the language of the text around them. */

let locale = 'en-US';
const formats = new Map<number, Intl.NumberFormat>();

/**
 * Write numbers and times as a language does. English text keeps English numbers wherever the browser is from, for
 * what the server and the assistant say beside it has them too.
 *
 * @param language a tag such as `de` or `de_DE`; null for English.
 */
export function setLanguage(language: string | null): void {
  const region = typeof navigator === 'undefined' ? '' : navigator.language;
  const tag = language?.replace(/_/g, '-') || 'en';
  formats.clear();
  try {
    locale = Intl.getCanonicalLocales(tag === 'en' && region.startsWith('en') ? region : tag)[0];
  } catch {
    locale = 'en-US'; // not the name of a language
  }
}

/** To make a format is slow, and the curves' labels need forty of them ten times a second. */
export function fixed(value: number, places: number): string {
  let format = formats.get(places);
  if (!format) {
    format = new Intl.NumberFormat(locale, { minimumFractionDigits: places, maximumFractionDigits: places });
    formats.set(places, format);
  }
  return format.format(Math.abs(value) * 10 ** places < 0.5 ? 0 : value); // nothing has no sign
}

/** With a power of ten. */
function scientific(value: number, places: number): string {
  return value.toExponential(places).replace('.', fixed(0.5, 1).charAt(1)); // the language's decimal sign
}

/** A measured value: four places up to one, four significant digits above, and a dash where there is none. */
export function number(value: number | null | undefined, digits = 4): string {
  if (value === null || value === undefined || !Number.isFinite(value)) {
    return '–';
  }
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e6 || size < 10 ** -digits)) {
    return scientific(value, Math.max(0, digits - 2));
  }
  if (Number.isInteger(value) && size > 1) {
    return fixed(value, 0);
  }
  const whole = size > 1 ? Math.floor(Math.log10(size)) + 1 : 0;
  return fixed(value, Math.max(0, digits - whole));
}

/** A tick of an axis: all of an axis have the places that its step needs. */
export function axisNumber(value: number, step: number): string {
  const size = Math.abs(value);
  if (size >= 1e7 || (step < 1e-5 && step > 0)) {
    return value === 0 ? '0' : scientific(value, 1);
  }
  const places = String(Number(step.toPrecision(6))).split('.')[1]?.length ?? 0;
  return fixed(value, places);
}

/** How to write values that stand below each other: with the same places, three digits for the greatest. */
export function evenly(values: readonly number[]): (value: number) => string {
  const most = values.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
  const step = most > 0 ? 10 ** Math.min(0, Math.floor(Math.log10(most)) - 2) : 1;
  return value => axisNumber(value, step);
}

/** A value of the data as it stands there, in at most so many significant digits. */
export function compact(value: number, digits = 5): string {
  return Number.isFinite(value) ? String(Number(value.toPrecision(digits))) : '–';
}

export function count(value: number): string {
  return fixed(Math.round(value), 0);
}

/** A share in percent, whose sign never begins a line; what is neither nothing nor all is not written as if it were. */
export function percent(fraction: number, places = 0): string {
  const value = 100 * fraction;
  const least = 10 ** -places;
  const text =
    value === 0
      ? '0'
      : value > 0 && value < least / 2
        ? `<${fixed(least, places)}`
        : value < 100 && value > 100 - least / 2
          ? `>${fixed(100 - least, places)}`
          : fixed(value, places);
  return `${text}\u00a0%`;
}

/** A time span: 0.4 s, 12 s, 3 min 20 s, 1 h 5 min. */
export function duration(seconds: number): string {
  if (seconds < 9.95) {
    return `${seconds <= 0 ? '0' : seconds < 0.05 ? `<${fixed(0.1, 1)}` : fixed(seconds, 1)} s`;
  }
  const whole = Math.round(seconds);
  if (whole < 100) {
    return `${whole} s`;
  }
  if (whole < 3600) {
    return whole % 60 ? `${Math.floor(whole / 60)} min ${whole % 60} s` : `${whole / 60} min`;
  }
  const minutes = Math.round(seconds / 60);
  return minutes % 60 ? `${Math.floor(minutes / 60)} h ${minutes % 60} min` : `${minutes / 60} h`;
}

export function bytes(size: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let unit = 0;
  while (size >= 1000 && unit < units.length - 1) {
    size /= 1000;
    unit += 1;
  }
  return `${fixed(size, unit === 0 || size >= 100 ? 0 : 1)} ${units[unit]}`;
}

/** The time of day, of another day than today with its date. */
export function clock(ts: number): string {
  const then = new Date(ts);
  return then.toDateString() === new Date().toDateString()
    ? then.toLocaleTimeString(locale, { hour: '2-digit', minute: '2-digit' })
    : dateTime(ts);
}

export function dateTime(ts: number): string {
  return new Date(ts).toLocaleString(locale, { dateStyle: 'medium', timeStyle: 'short' });
}
