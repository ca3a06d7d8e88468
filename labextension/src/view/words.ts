/** Names and numbers for people. */

import type { Translation } from './options';
import type { StageId, StageStatus } from './stages';

export function stageName(id: StageId, trans: Translation): string {
  switch (id) {
    case 'PARSE_INTENT':
      return trans.__('Request');
    case 'DATA_SOURCE':
      return trans.__('Data');
    case 'PROFILE_DATA':
      return trans.__('Profile');
    case 'PREPROCESS':
      return trans.__('Preparation');
    case 'MODEL_SELECT':
      return trans.__('Models');
    case 'TRAIN':
      return trans.__('Training');
    case 'REVIEW_EDIT':
      return trans.__('Review');
    case 'EXPORT':
      return trans.__('Export');
  }
}

export function statusName(status: StageStatus, trans: Translation): string {
  switch (status) {
    case 'PENDING':
      return trans.__('not yet');
    case 'IN_PROGRESS':
      return trans.__('running');
    case 'WAITING_CONFIRMATION':
      return trans.__('waits for you');
    case 'COMPLETED':
      return trans.__('done');
    case 'FAILED':
      return trans.__('failed');
    case 'SKIPPED':
      return trans.__('skipped');
  }
}

const METRICS: Record<string, string> = {
  auto: 'decided by the task',
  loss: 'Loss',
  roc_auc: 'ROC AUC',
  average_precision: 'Average precision',
  log_loss: 'Log loss',
  accuracy: 'Accuracy',
  balanced_accuracy: 'Balanced accuracy',
  f1: 'F1',
  f1_macro: 'F1, macro',
  precision: 'Precision',
  recall: 'Recall',
  mcc: 'Matthews correlation',
  brier: 'Brier score',
  rmse: 'RMSE',
  mae: 'MAE',
  mape: 'MAPE',
  r2: 'R²',
  median_ae: 'Median absolute error'
};

/** Metrics of which less is better. */
const LOWER = new Set(['loss', 'log_loss', 'brier', 'rmse', 'mae', 'mape', 'median_ae']);

export function metricName(id: string): string {
  return METRICS[id] ?? id.replace(/_/g, ' ');
}

export function lowerIsBetter(metric: string): boolean {
  return LOWER.has(metric);
}

export const CLASSIFICATION_METRICS = [
  'roc_auc',
  'average_precision',
  'log_loss',
  'accuracy',
  'balanced_accuracy',
  'f1',
  'f1_macro',
  'precision',
  'recall',
  'mcc',
  'brier'
];
export const REGRESSION_METRICS = ['rmse', 'mae', 'mape', 'r2', 'median_ae'];

/** A measured value: four places up to one, four significant digits above, and a dash where there is none. */
export function number(value: number | null | undefined, digits = 4): string {
  if (value === null || value === undefined || !Number.isFinite(value)) {
    return '–';
  }
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e6 || size < 10 ** -digits)) {
    return value.toExponential(Math.max(0, digits - 2));
  }
  if (Number.isInteger(value) && size > 1) {
    return value.toLocaleString('en-US');
  }
  const whole = size > 1 ? Math.floor(Math.log10(size)) + 1 : 0;
  const places = Math.max(0, digits - whole);
  return value.toLocaleString('en-US', { minimumFractionDigits: places, maximumFractionDigits: places });
}

/** A value of the data, in at most so many significant digits. */
export function compact(value: number, digits = 5): string {
  return Number.isFinite(value) ? String(Number(value.toPrecision(digits))) : '–';
}

export function count(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

export function percent(fraction: number, places = 0): string {
  return `${(100 * fraction).toFixed(places)} %`;
}

/** A time span: 0.4 s, 12 s, 3 min 20 s, 1 h 5 min. */
export function duration(seconds: number): string {
  if (seconds < 10) {
    return `${seconds < 0.05 ? '0' : seconds.toFixed(1)} s`;
  }
  if (seconds < 99.5) {
    return `${Math.round(seconds)} s`;
  }
  if (seconds < 3600) {
    const whole = Math.round(seconds);
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
  return `${unit === 0 || size >= 100 ? Math.round(size) : size.toFixed(1)} ${units[unit]}`;
}

export function clock(ts: number): string {
  return new Date(ts).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
}

export function dateTime(ts: number): string {
  return new Date(ts).toLocaleString([], { dateStyle: 'medium', timeStyle: 'short' });
}
