/** A plan, and changes of it, in words. */

import { memberName, metricName, preferenceName, strategyName, taskName } from '../protocol/names';
import type { Translation } from '../translation';
import { roleOptions, treatmentOptions } from './gates/columnwords';
import type { ProjectModel } from './model';
import { compact, duration, percent } from './numbers';
import { partsOf } from './patch';
import type { Json } from './records';
import { modelName } from './runs';

/** Members of long lists and objects that are written out. */
const MOST = 30;
/** Members whose value is one of the same few words for each column. */
const OF_COLUMNS = new Set(['roles', 'treatments', 'columns']);

/** A value of a plan in one line; what is one of a few things by its name. */
export function inWords(member: string, value: Json, model: ProjectModel, trans: Translation): string {
  if (value === null || value === undefined) {
    return '–';
  }
  if (typeof value === 'number') {
    return member === 'time_budget_s' ? duration(value) : member.endsWith('_fraction') ? percent(value, 1) : compact(value);
  }
  if (typeof value === 'boolean') {
    return value ? trans.__('yes') : trans.__('no');
  }
  if (Array.isArray(value)) {
    return some(value.map(item => inWords(member, item, model, trans)), ', ') || '–';
  }
  if (typeof value === 'object') {
    if (member === 'models') {
      const params = Object.entries(value.params ?? {}).map(([name, v]) => `${name} ${inWords('', v, model, trans)}`);
      return modelName(model, String(value.id), trans) + (params.length ? ` (${params.join(', ')})` : '');
    }
    if (OF_COLUMNS.has(member)) {
      const groups = new Map<string, string[]>();
      for (const [name, word] of Object.entries<string>(value)) {
        const names = groups.get(word);
        if (names) {
          names.push(name);
        } else {
          groups.set(word, [name]);
        }
      }
      return [...groups].map(([word, names]) => trans.__('%1: %2', inWords(member, word, model, trans), some(names, ', '))).join('; ') || '–';
    }
    const entries = Object.entries(value).filter(([, v]) => v !== null);
    return some(entries.map(([key, v]) => trans.__('%1: %2', memberName(key, trans), inWords(key, v, model, trans))), ', ') || '–';
  }
  const word = (options: readonly (readonly [string, string])[]): string => options.find(([id]) => id === value)?.[1] ?? value;
  switch (member) {
    case 'metric':
      return metricName(value, trans);
    case 'task_type':
      return taskName(value, trans);
    case 'prefer':
      return preferenceName(value, trans);
    case 'strategy':
      return strategyName(value, trans);
    case 'roles':
      return value === 'target' ? trans.__('target') : word(roleOptions(trans));
    case 'treatments':
    case 'columns':
      return word(treatmentOptions(trans));
    case 'include_models':
    case 'exclude_models':
      return modelName(model, value, trans);
    case 'dataset':
    case 'dataset_id':
      return model.datasets.find(dataset => dataset.id === value)?.name ?? value;
    case 'keep': {
      const run = model.runs.get(value);
      return run ? `${modelName(model, run.modelId, trans)} (${value})` : value;
    }
    default:
      return String(value);
  }
}

/** A patch in words; what many members were set to at once stands once. */
export function changesInWords(patch: readonly Json[], model: ProjectModel, trans: Translation): string[] {
  const lines = new Map<string, { names: string[]; label: string; value: string }>();
  for (const op of patch) {
    const [member, ...more] = partsOf(String(op.path ?? ''));
    const of = OF_COLUMNS.has(member) ? member : (more[more.length - 1] ?? member);
    const value = op.op === 'remove' ? '–' : inWords(of, op.value, model, trans);
    const label = [member, ...(OF_COLUMNS.has(member) ? [] : more)].map(part => memberName(part, trans)).join(', ');
    const key = JSON.stringify(OF_COLUMNS.has(member) && more.length ? [member, value] : [member, lines.size]);
    const line = lines.get(key) ?? { names: [], label, value };
    line.names.push(...(OF_COLUMNS.has(member) ? more : []));
    lines.set(key, line);
  }
  return [...lines.values()].map(({ names, label, value }) =>
    names.length ? trans.__('%1: %2 (%3)', label, value, some(names, ', ')) : trans.__('%1: %2', label, value)
  );
}

/**
 * Members of plans that a refusal names, as it is written for programs. A word alone is one only where it is said what it
 * must be; what is quoted is the person's.
 */
const NAMED = /(?<=: )[\w.]+(?= (?:must|cannot) be )|(?<!['"\w.])(?:\w+\.)*[a-z]+_\w+(?!['"\w])|\bsplit\.\w+/g;

/** A refusal with the labels that stand on the screen; of what has none the name stays. */
export function inLabels(refusal: string, trans: Translation): string {
  return refusal.replace(NAMED, name => memberName(name.split('.').pop()!, trans, name));
}

function some(texts: readonly string[], between: string): string {
  return texts.slice(0, MOST).join(between) + (texts.length > MOST ? ` + ${texts.length - MOST}` : '');
}
