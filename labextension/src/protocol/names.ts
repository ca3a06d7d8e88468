// Made by `python -m jupyter_pipeline.protocol.typescript --write` from the names of the protocol.
// Do not edit; a test compares.

import type { Translation } from '../translation';
import type { StageId, StageStatus } from './types';

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

export function statusName(id: StageStatus, trans: Translation): string {
  switch (id) {
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

export function runStatusName(id: string, trans: Translation, otherwise = id.replace(/_/g, ' ')): string {
  switch (id) {
    case 'running':
      return trans.__('running');
    case 'success':
      return trans.__('done');
    case 'failed':
      return trans.__('failed');
    case 'cancelled':
      return trans.__('cancelled');
    default:
      return otherwise;
  }
}

export function phaseName(id: string, trans: Translation, otherwise = id.replace(/_/g, ' ')): string {
  switch (id) {
    case 'init':
      return trans.__('begins');
    case 'fit':
      return trans.__('fits');
    case 'eval':
      return trans.__('is evaluated');
    case 'finalize':
      return trans.__('is saved');
    default:
      return otherwise;
  }
}

export function metricName(id: string, trans: Translation, otherwise = id.replace(/_/g, ' ')): string {
  switch (id) {
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
      return otherwise;
  }
}

export function taskName(id: string, trans: Translation, otherwise = id.replace(/_/g, ' ')): string {
  switch (id) {
    case 'auto':
      return trans.__('decided from the data');
    case 'classification':
      return trans.__('classification');
    case 'binary':
      return trans.__('binary classification');
    case 'multiclass':
      return trans.__('multiclass classification');
    case 'regression':
      return trans.__('regression');
    default:
      return otherwise;
  }
}

/** The models that there are. */
export const MODELS: readonly string[] = [
  'dummy',
  'linear',
  'random_forest',
  'extra_trees',
  'hist_gradient_boosting',
  'lightgbm',
  'xgboost',
  'catboost',
  'ensemble'
];

export function modelName(id: string, trans: Translation, otherwise = id.replace(/_/g, ' ')): string {
  switch (id) {
    case 'dummy':
      return trans.__('Baseline');
    case 'linear':
      return trans.__('Linear model');
    case 'random_forest':
      return trans.__('Random forest');
    case 'extra_trees':
      return trans.__('Extra trees');
    case 'hist_gradient_boosting':
      return trans.__('Histogram gradient boosting');
    case 'lightgbm':
      return trans.__('LightGBM');
    case 'xgboost':
      return trans.__('XGBoost');
    case 'catboost':
      return trans.__('CatBoost');
    case 'ensemble':
      return trans.__('Weighted ensemble');
    default:
      return otherwise;
  }
}

export function preferenceName(id: string, trans: Translation, otherwise = id.replace(/_/g, ' ')): string {
  switch (id) {
    case 'balanced':
      return trans.__('a balance');
    case 'accuracy':
      return trans.__('accuracy');
    case 'speed':
      return trans.__('speed');
    case 'interpretability':
      return trans.__('interpretability');
    default:
      return otherwise;
  }
}

export function strategyName(id: string, trans: Translation, otherwise = id.replace(/_/g, ' ')): string {
  switch (id) {
    case 'random':
      return trans.__('at random');
    case 'stratified':
      return trans.__('at random, each class with its share');
    case 'time':
      return trans.__('by time, the last rows tested');
    case 'group':
      return trans.__('by groups, none in two parts');
    default:
      return otherwise;
  }
}

export function memberName(id: string, trans: Translation, otherwise = id.replace(/_/g, ' ')): string {
  switch (id) {
    case 'task_type':
      return trans.__('Task');
    case 'target':
      return trans.__('Target');
    case 'metric':
      return trans.__('Judged by');
    case 'time_budget_s':
      return trans.__('Time for training');
    case 'prefer':
      return trans.__('Cares most about');
    case 'dataset':
      return trans.__('Data');
    case 'dataset_id':
      return trans.__('Data');
    case 'sheet':
      return trans.__('Sheet');
    case 'include_models':
      return trans.__('Models wanted');
    case 'exclude_models':
      return trans.__('Models not wanted');
    case 'include_columns':
      return trans.__('Columns to predict from');
    case 'exclude_columns':
      return trans.__('Columns left out');
    case 'not_understood':
      return trans.__('Not understood');
    case 'positive_class':
      return trans.__('Positive class');
    case 'data_sha256':
      return trans.__('Fingerprint');
    case 'roles':
      return trans.__('What columns are for');
    case 'treatments':
      return trans.__('Treatments asked for');
    case 'split':
      return trans.__('Split');
    case 'strategy':
      return trans.__('Strategy');
    case 'column':
      return trans.__('Column');
    case 'val_fraction':
      return trans.__('Validation');
    case 'test_fraction':
      return trans.__('Test');
    case 'seed':
      return trans.__('Seed');
    case 'columns':
      return trans.__('Treatment of columns');
    case 'models':
      return trans.__('Models to train');
    case 'trials':
      return trans.__('Settings tried for each model');
    case 'keep':
      return trans.__('Model kept');
    case 'threshold':
      return trans.__('Positive from a probability of');
    case 'report':
      return trans.__('The report');
    case 'notebook':
      return trans.__('The executed notebook');
    case 'training_code':
      return trans.__('The training code');
    case 'event_log':
      return trans.__('The event log');
    case 'sample_rows':
      return trans.__('Sample rows in the bundle');
    default:
      return otherwise;
  }
}
