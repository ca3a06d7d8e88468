/** Names for people: stages, how they stand, metrics. */

import type { Translation } from '../translation';
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

/** That somebody stopped a stage, in a word or two. */
export function stoppedBy(by: { name: string }, trans: Translation): string {
  return trans.__('stopped by %1', by.name);
}

export function metricName(metric: string, trans: Translation): string {
  switch (metric) {
    case 'auto':
      return trans.__('decided by the task');
    case 'loss':
      return trans.__('Loss');
    case 'roc_auc':
      return trans.__('ROC AUC');
    case 'average_precision':
      return trans.__('Average precision');
    case 'log_loss':
      return trans.__('Log loss');
    case 'accuracy':
      return trans.__('Accuracy');
    case 'balanced_accuracy':
      return trans.__('Balanced accuracy');
    case 'f1':
      return trans.__('F1');
    case 'f1_macro':
      return trans.__('Macro F1');
    case 'precision':
      return trans.__('Precision');
    case 'recall':
      return trans.__('Recall');
    case 'mcc':
      return trans.__('Matthews correlation');
    case 'brier':
      return trans.__('Brier score');
    case 'rmse':
      return trans.__('RMSE');
    case 'mae':
      return trans.__('MAE');
    case 'mape':
      return trans.__('MAPE');
    case 'r2':
      return trans.__('R²');
    case 'median_ae':
      return trans.__('Median absolute error');
    default:
      return metric.replace(/_/g, ' ');
  }
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
