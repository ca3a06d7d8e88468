/** A few words for people, and what is known of metrics. */

import type { Translation } from '../translation';

/** That somebody stopped a stage, in a word or two. */
export function stoppedBy(by: { name: string }, trans: Translation): string {
  return trans.__('stopped by %1', by.name);
}

/** Metrics of which less is better. */
const LOWER = new Set(['loss', 'log_loss', 'brier', 'rmse', 'mae', 'mape', 'median_ae']);

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
