// Made by `python -m jupyter_pipeline.protocol.typescript --write` from the types of the protocol.
// Do not edit; a test compares.

/** A stage of a project. */
export type StageId =
  | 'PARSE_INTENT'
  | 'DATA_SOURCE'
  | 'PROFILE_DATA'
  | 'PREPROCESS'
  | 'MODEL_SELECT'
  | 'TRAIN'
  | 'REVIEW_EDIT'
  | 'EXPORT';

/** How a stage stands. */
export type StageStatus = 'PENDING' | 'IN_PROGRESS' | 'WAITING_CONFIRMATION' | 'COMPLETED' | 'FAILED' | 'SKIPPED';

/** Why a message was refused. */
export type ErrorCode =
  | 'INVALID_JSON'
  | 'INVALID_MESSAGE'
  | 'UNKNOWN_TYPE'
  | 'UNKNOWN_COMMAND'
  | 'INVALID_ARGS'
  | 'INVALID_STAGE'
  | 'NOT_WAITING'
  | 'GATE_STALE'
  | 'NO_ACTIVE_RUN'
  | 'RATE_LIMITED'
  | 'TOO_LARGE'
  | 'FORBIDDEN'
  | 'BUSY'
  | 'INTERNAL';

/** The stages in their order. */
export const STAGES: readonly StageId[] = [
  'PARSE_INTENT',
  'DATA_SOURCE',
  'PROFILE_DATA',
  'PREPROCESS',
  'MODEL_SELECT',
  'TRAIN',
  'REVIEW_EDIT',
  'EXPORT'
];

/** The envelope's `v`. */
export const PROTOCOL_VERSION = 1;

export type Phase = 'init' | 'fit' | 'eval' | 'finalize';

export type RunStatus = 'success' | 'failed' | 'cancelled';

export type Split = 'train' | 'val' | 'test';

export type TaskType = 'binary' | 'multiclass' | 'regression';

export type Metric =
  | 'auto'
  | 'roc_auc'
  | 'average_precision'
  | 'log_loss'
  | 'accuracy'
  | 'balanced_accuracy'
  | 'f1'
  | 'f1_macro'
  | 'precision'
  | 'recall'
  | 'mcc'
  | 'brier'
  | 'rmse'
  | 'mae'
  | 'mape'
  | 'r2'
  | 'median_ae';

export type Preference = 'balanced' | 'accuracy' | 'speed' | 'interpretability';

export type Role = 'feature' | 'target' | 'id' | 'time' | 'group' | 'ignore';

export type Treatment =
  | 'numeric'
  | 'onehot'
  | 'ordinal'
  | 'target_encode'
  | 'text'
  | 'datetime'
  | 'boolean'
  | 'drop';

/** The `stage` member of an event's envelope: which stage, its place from 0, and how it stands. */
export interface StageRef {
  id: StageId;
  index: number;
  status: StageStatus;
}

/** What the request was understood to say. */
export interface PromptParsed {
  task_type: string;
  target: string | null;
  dataset_hint: string | null;
  constraints: Record<string, unknown>;
}

/** Data that the project can use. `source` is one of upload, workspace, url, bundled. */
export interface Dataset {
  id: string;
  name: string;
  source: string;
  desc: string;
  meta: Record<string, unknown>;
}

/** Data to choose from, best first. */
export interface DatasetCandidates {
  datasets: Dataset[];
}

/** The data that the stage works with. */
export interface DatasetSelected {
  dataset_id: string;
}

/** The first rows of the data; `n_rows` counts all rows of the data set. */
export interface DatasetSampleReady {
  asset_url: string;
  columns: string[];
  n_rows: number;
}

/** How far the profile is. */
export interface ProfileProgress {
  phase: string;
  pct: number;
}

/** The data at a glance; `missing_pct` is the fraction of cells that are missing. */
export interface ProfileSummary {
  n_rows: number;
  n_cols: number;
  missing_pct: number;
  types_breakdown: Record<string, number>;
  warnings: string[];
}

/** Missing values for each column. */
export interface MissingnessTableReady {
  asset_url: string;
}

/** How the target is distributed. */
export interface TargetDistributionReady {
  asset_url: string;
}

/** How many rows each part of the split has. */
export interface SplitSummary {
  train_rows: number;
  val_rows: number;
  test_rows: number;
  stratified: boolean;
  seed: number;
}

/** What is done to the columns, step by step, in words. */
export interface PreprocessSteps {
  steps: Record<string, unknown>[];
}

/** Who did something: Jupyter's user name and the name to show. */
export interface User {
  username: string;
  name: string;
}

/**
 * How a stage stands now.
 *
 * With IN_PROGRESS come `attempt` (numbered in the project, from 1), `params` (what the stage was asked
 * beside the approved plans), `fingerprint` of its inputs and, where an earlier result serves again,
 * `reused`; `finishing` says that training was asked to end with the best so far, and `last_run` beside it that
 * the run at work comes to its own end before,
 * `retry` that the attempt before it lost its worker process; `skip_runs` are runs that the person cancelled
 * one by one and that are not tried again. `params` of a PENDING stage wait for its start. `by` is who confirmed,
 * cancelled or restarted it; what the pipeline does by itself has none.
 */
export interface StageStatusEvent {
  stage_id: StageId;
  status: StageStatus;
  message: string;
  attempt?: number;
  params?: Record<string, unknown>;
  fingerprint?: string;
  reused?: boolean;
  finishing?: boolean;
  last_run?: boolean;
  retry?: boolean;
  skip_runs?: string[];
  by?: User;
}

/**
 * A gate is open. `digest` is the SHA-256 of exactly the plan that a confirmation approves.
 *
 * The first line of `summary` says what is proposed; each further line is a remark, which says what follows from
 * neither the plan nor another event.
 */
export interface WaitingConfirmation {
  stage_id: StageId;
  summary: string;
  next_actions: string[];
  gate_id: string;
  digest: string;
}

/**
 * What a stage proposes. `patch` is the change from its last proposal, `reruns` and `keeps` the
 * stages that will run again and those whose results still hold.
 */
export interface PlanProposed {
  stage_id: StageId;
  plan_json: Record<string, unknown>;
  plan_id: string;
  patch: Record<string, unknown>[];
  reruns: StageId[];
  keeps: StageId[];
  by?: User;
}

/** The person confirmed a plan. */
export interface PlanApproved {
  stage_id: StageId;
  plan_id: string;
  by: User;
}

/** A proposed plan was withdrawn: by a change, or by a restart. */
export interface PlanRejected {
  stage_id: StageId;
  plan_id: string;
  by: User;
}

/** A file of the project: path below the project's folder, size in bytes, SHA-256 in hex. */
export interface FileEntry {
  path: string;
  type: string;
  size: number;
  sha: string;
}

/** Files of the project that are new or changed. */
export interface FileTreeUpdate {
  files: FileEntry[];
}

/** A file that a stage made; `meta["path"]` is its place below the project's folder. */
export interface Artifact {
  id: string;
  type: string;
  name: string;
  url: string;
  meta: Record<string, unknown>;
}

/** An asset can be fetched. */
export interface ArtifactAdded {
  artifact: Artifact;
}

/** A line for people. `run_id` is `chat` for the conversation and `pipeline` for what belongs to no run. */
export interface LogLine {
  run_id: string;
  level: 'debug' | 'error' | 'info' | 'warning';
  text: string;
  source: string;
  by?: User;
}

/** A model is being evaluated. */
export interface EvaluationStarted {
  run_id: string;
  task_type: string;
}

/** A model was evaluated; `artifacts` are asset ids. */
export interface EvaluationComplete {
  run_id: string;
  task_type: string;
  primary_metric: string;
  primary_value: number | null;
  artifacts: string[];
}

/** Metrics of a classifier by name, beside `run_id` and `split`. */
export interface ClassificationMetricsReady {
  run_id: string;
  split: Split;
  accuracy: number | null;
  balanced_accuracy: number | null;
  precision: number | null;
  recall: number | null;
  f1: number | null;
  mcc: number | null;
  log_loss: number | null;
  roc_auc: number | null;
  average_precision: number | null;
  brier: number | null;
  f1_macro?: number | null;
}

/** Metrics of a regression by name, beside `run_id` and `split`. */
export interface RegressionMetricsReady {
  run_id: string;
  split: Split;
  rmse: number | null;
  mae: number | null;
  r2: number | null;
  mape: number | null;
  median_ae: number | null;
}

/** Confusion matrix. */
export interface ConfusionMatrixReady {
  run_id: string;
  asset_url: string;
  data_url?: string;
}

/** Receiver operating characteristic. */
export interface RocCurveReady {
  run_id: string;
  asset_url: string;
  data_url?: string;
}

/** Precision and recall over the threshold. */
export interface PrecisionRecallCurveReady {
  run_id: string;
  asset_url: string;
  data_url?: string;
}

/** Residuals against predictions. */
export interface ResidualsPlotReady {
  run_id: string;
  asset_url: string;
  data_url?: string;
}

/** Permutation importance of each input column. */
export interface FeatureImportanceReady {
  run_id: string;
  asset_url: string;
  data_url?: string;
}

/** SHAP values. */
export interface ShapExplanationsReady {
  run_id: string;
  asset_url: string;
  data_url?: string;
}

/** The report can be read. */
export interface ReportReady {
  asset_url: string;
}

/** The executed notebook can be opened. */
export interface NotebookReady {
  asset_url: string;
}

/** The code as files that the person can edit. */
export interface CodeWorkspaceReady {
  files: FileEntry[];
}

/** What could be tried next; a suggestion is `{title, why, chat}`, `chat` being the message that does it. */
export interface EditSuggestions {
  suggestions: Record<string, unknown>[];
}

/** How far the export is. */
export interface ExportProgress {
  pct: number;
  message: string;
}

/** The bundle can be downloaded. `checksum` is `sha256:` and the hex digest of the zip. */
export interface ExportReady {
  asset_url: string;
  contents: string[];
  checksum: string;
}

/**
 * A model that can be trained, and what speaks for it; `requirements` are package names. `left_out` says why it
 * is not among those proposed, where it is not.
 */
export interface ModelCandidate {
  id: string;
  name: string;
  family: string;
  why: string;
  requirements: string[];
  cost_s: number | null;
  params: Record<string, unknown>;
  left_out?: string;
}

/** Models to choose from. */
export interface ModelCandidates {
  models: ModelCandidate[];
}

/** A model that will be trained (before TRAIN), or the one that was kept (after it). */
export interface ModelSelected {
  model_id: string;
}

/** A run begins: one model with one setting of its parameters. */
export interface TrainRunStarted {
  run_id: string;
  model_id: string;
  metric_primary: string;
  config: Record<string, unknown>;
}

/** How far a run is; `step` rises by one with every such event of the run. `eta_s` in seconds. */
export interface TrainProgress {
  run_id: string;
  epoch: number;
  epochs: number;
  step: number;
  steps: number;
  pct: number;
  eta_s: number | null;
  phase: Phase;
}

/** A value that was measured on data; null where it was not finite. */
export interface MetricScalar {
  run_id: string;
  name: string;
  split: Split;
  step: number;
  value: number | null;
  source: 'measured';
}

/** What an optimiser says of itself (learning rate, gradient norm, coefficient norm, …). */
export interface GdDiagnostic {
  run_id: string;
  step: number;
  diagnostics: Record<string, number | null>;
}

/**
 * A run in the leaderboard. `metric` is the primary metric on the validation rows, null if there is none;
 * `runtime_s` in seconds; `threshold` was chosen for this run on the validation rows, null for 0.5.
 */
export interface LeaderboardRow {
  run_id: string;
  model: string;
  params: Record<string, unknown>;
  metric: number | null;
  runtime_s: number;
  status: string;
  reason?: string;
  threshold?: number | null;
}

/** All runs, best first. */
export interface LeaderboardUpdated {
  rows: LeaderboardRow[];
}

/** A measured value of a metric. */
export interface BestMetric {
  name: string;
  split: Split;
  value: number | null;
}

/** A run took the lead. */
export interface BestModelUpdated {
  run_id: string;
  model_id: string;
  metric: BestMetric;
}

/** What a run's process group uses: CPU in percent of one core, memory in MiB. */
export interface ResourceStats {
  run_id: string;
  cpu_pct: number;
  ram_mb: number;
  gpu_pct: number | null;
  vram_mb: number | null;
  step_per_sec: number | null;
}

/** One of a run's final metrics. */
export interface FinalMetric {
  name: string;
  split: Split;
  value: number | null;
}

/** What a run came to; `primary` names the metric that decides. */
export interface FinalMetrics {
  task_type: string;
  primary: string;
  metrics: FinalMetric[];
}

/** A run has ended; its last event. `reason` says why where it is no success. */
export interface TrainRunFinished {
  run_id: string;
  status: RunStatus;
  final_metrics: FinalMetrics;
  reason?: string;
}

/** The payload of each logged event, by its name. */
export interface EventPayloads {
  PROMPT_PARSED: PromptParsed;
  DATASET_CANDIDATES: DatasetCandidates;
  DATASET_SELECTED: DatasetSelected;
  DATASET_SAMPLE_READY: DatasetSampleReady;
  PROFILE_PROGRESS: ProfileProgress;
  PROFILE_SUMMARY: ProfileSummary;
  MISSINGNESS_TABLE_READY: MissingnessTableReady;
  TARGET_DISTRIBUTION_READY: TargetDistributionReady;
  SPLIT_SUMMARY: SplitSummary;
  PREPROCESS_PLAN: PreprocessSteps;
  STAGE_STATUS: StageStatusEvent;
  WAITING_CONFIRMATION: WaitingConfirmation;
  PLAN_PROPOSED: PlanProposed;
  PLAN_APPROVED: PlanApproved;
  PLAN_REJECTED: PlanRejected;
  FILE_TREE_UPDATE: FileTreeUpdate;
  ARTIFACT_ADDED: ArtifactAdded;
  LOG_LINE: LogLine;
  EVALUATION_STARTED: EvaluationStarted;
  EVALUATION_COMPLETE: EvaluationComplete;
  CLASSIFICATION_METRICS_READY: ClassificationMetricsReady;
  REGRESSION_METRICS_READY: RegressionMetricsReady;
  CONFUSION_MATRIX_READY: ConfusionMatrixReady;
  ROC_CURVE_READY: RocCurveReady;
  PRECISION_RECALL_CURVE_READY: PrecisionRecallCurveReady;
  RESIDUALS_PLOT_READY: ResidualsPlotReady;
  FEATURE_IMPORTANCE_READY: FeatureImportanceReady;
  SHAP_EXPLANATIONS_READY: ShapExplanationsReady;
  REPORT_READY: ReportReady;
  NOTEBOOK_READY: NotebookReady;
  CODE_WORKSPACE_READY: CodeWorkspaceReady;
  EDIT_SUGGESTIONS: EditSuggestions;
  EXPORT_PROGRESS: ExportProgress;
  EXPORT_READY: ExportReady;
  MODEL_CANDIDATES: ModelCandidates;
  MODEL_SELECTED: ModelSelected;
  TRAIN_RUN_STARTED: TrainRunStarted;
  TRAIN_PROGRESS: TrainProgress;
  METRIC_SCALAR: MetricScalar;
  GD_DIAGNOSTIC: GdDiagnostic;
  LEADERBOARD_UPDATED: LeaderboardUpdated;
  BEST_MODEL_UPDATED: BestModelUpdated;
  RESOURCE_STATS: ResourceStats;
  TRAIN_RUN_FINISHED: TrainRunFinished;
}

/** Every logged event. */
export const EVENT_NAMES: readonly (keyof EventPayloads)[] = [
  'PROMPT_PARSED',
  'DATASET_CANDIDATES',
  'DATASET_SELECTED',
  'DATASET_SAMPLE_READY',
  'PROFILE_PROGRESS',
  'PROFILE_SUMMARY',
  'MISSINGNESS_TABLE_READY',
  'TARGET_DISTRIBUTION_READY',
  'SPLIT_SUMMARY',
  'PREPROCESS_PLAN',
  'STAGE_STATUS',
  'WAITING_CONFIRMATION',
  'PLAN_PROPOSED',
  'PLAN_APPROVED',
  'PLAN_REJECTED',
  'FILE_TREE_UPDATE',
  'ARTIFACT_ADDED',
  'LOG_LINE',
  'EVALUATION_STARTED',
  'EVALUATION_COMPLETE',
  'CLASSIFICATION_METRICS_READY',
  'REGRESSION_METRICS_READY',
  'CONFUSION_MATRIX_READY',
  'ROC_CURVE_READY',
  'PRECISION_RECALL_CURVE_READY',
  'RESIDUALS_PLOT_READY',
  'FEATURE_IMPORTANCE_READY',
  'SHAP_EXPLANATIONS_READY',
  'REPORT_READY',
  'NOTEBOOK_READY',
  'CODE_WORKSPACE_READY',
  'EDIT_SUGGESTIONS',
  'EXPORT_PROGRESS',
  'EXPORT_READY',
  'MODEL_CANDIDATES',
  'MODEL_SELECTED',
  'TRAIN_RUN_STARTED',
  'TRAIN_PROGRESS',
  'METRIC_SCALAR',
  'GD_DIAGNOSTIC',
  'LEADERBOARD_UPDATED',
  'BEST_MODEL_UPDATED',
  'RESOURCE_STATS',
  'TRAIN_RUN_FINISHED'
];

/** A command as HELLO lists it; `args_schema` is JSON Schema. */
export interface CommandSpec {
  name: string;
  description: string;
  args_schema: Record<string, unknown>;
}

/**
 * What a stage's result depends on.
 *
 * `reads` holds the earlier stages whose approved plans it reads, with the members that it reads, or null for all of
 * them. A stage in `follows` counts even where its plan comes out the same: each new attempt at it is another input.
 * `rework` are members of the stage's own plan whose change makes it work again before it proposes; other
 * changes are proposed at once.
 */
export interface StageRule {
  id: StageId;
  reads: Record<StageId, string[] | null>;
  follows: StageId[];
  rework: string[];
}

/**
 * Payload of HELLO, the first frame of a connection.
 *
 * `resumed` is false if the log is another one now. `stages` says what each stage depends on, so that a client can
 * tell what a change will run again; servers before it did not send it.
 *
 * `limits` are those that this server has set, by name, null where there is none: bytes of a message, of a request
 * to predict and of an uploaded file (`message_bytes`, `predict_bytes`, `upload_bytes`), bytes of a project's
 * folder and log together and of its log alone (`project_bytes`, `log_bytes`), how many files may be uploaded to
 * it (`project_files`), seconds in which a body must have come, an upload must have gone on, and a long poll ends
 * (`body_s`, `upload_stall_s`, `long_poll_s`), and messages and requests a minute by kind
 * (`messages_per_minute`), with how many over that before the socket is closed (`flood_per_minute`). More may be
 * added.
 */
export interface Hello {
  message: string;
  project_id: string;
  server_time: number;
  server_version: string;
  epoch: string;
  seq: number;
  resumed: boolean;
  user: User;
  capabilities: string[];
  commands: CommandSpec[];
  limits: Record<string, unknown>;
  stages?: StageRule[];
}

/** Answer to a ping; times are Unix milliseconds, `ts` as the client sent it. */
export interface Pong {
  type: 'pong';
  ts: number | null;
  server_ts: number;
  seq: number;
}

/** What a message with an `id` caused is durable; `seq` is the head of the log then. */
export interface Ack {
  type: 'ack';
  id: string;
  seq: number;
  status: 'accepted' | 'duplicate';
}

/** A message was refused and changed nothing. */
export interface ErrorFrame {
  type: 'error';
  message: string;
  original_message: unknown;
  code: ErrorCode;
  id: string | null;
  retryable: boolean;
  retry_after_ms: number | null;
}

/** The payload of every frame in the envelope, by name. */
export interface FramePayloads extends EventPayloads {
  HELLO: Hello;
}

/** Names of the frames in the envelope. */
export type FrameName = keyof FramePayloads;

/** The `event` member of the envelope; its `name` tells the type of its `payload`. */
export type EventBody<N extends FrameName = FrameName> = { [K in N]: { name: K; payload: FramePayloads[K] } }[N];

/** A frame in the envelope. `ts` is Unix time in milliseconds; an ephemeral frame belongs to this connection alone. */
export interface EventFrame<N extends FrameName = FrameName> {
  v: number;
  type: 'EVENT';
  project_id: string;
  seq: number;
  ts: number;
  stage: StageRef;
  event: EventBody<N>;
  ephemeral?: boolean;
}

/** Everything that a server sends over the socket. */
export type ServerFrame = EventFrame | Ack | Pong | ErrorFrame;

/**
 * PARSE_INTENT: what the person wants. The data decide whether a `classification` is binary or multiclass.
 *
 * Where `include_columns` names any, the target is predicted from those alone; `exclude_columns` are left out.
 * `treatments` says how columns, or all of a kind (`text columns`), become features. Plans of earlier versions
 * have none of these.
 */
export interface IntentPlan {
  task_type: 'auto' | 'binary' | 'classification' | 'multiclass' | 'regression';
  target: string | null;
  metric: Metric;
  time_budget_s: number;
  prefer: Preference;
  dataset: string | null;
  sheet: string | null;
  include_models: string[];
  exclude_models: string[];
  include_columns?: string[];
  exclude_columns?: string[];
  treatments?: Record<string, Treatment>;
  not_understood: string[];
}

/**
 * DATA_SOURCE: which data, and what is to be predicted in them.
 *
 * `sheet` is the sheet of an Excel file, null for the one with the largest table and for other files.
 * `data_sha256` is the fingerprint of the data that were looked at; it is shown, not changed.
 */
export interface DataPlan {
  dataset_id: string;
  sheet: string | null;
  target: string;
  task_type: TaskType;
  metric: Metric;
  positive_class: string | null;
  data_sha256: string;
}

/**
 * PROFILE_DATA: what each column is for; `ignore` drops it.
 *
 * `treatments` has the features of which somebody said already how PREPROCESS shall treat them; plans of earlier
 * versions lack it.
 */
export interface ProfilePlan {
  roles: Record<string, Role>;
  treatments?: Record<string, Treatment>;
}

/** How rows are divided. `column` names the time or group column of those strategies. */
export interface SplitPlan {
  strategy: 'group' | 'random' | 'stratified' | 'time';
  column: string | null;
  val_fraction: number;
  test_fraction: number;
  seed: number;
}

/** PREPROCESS: the split, and the treatment of each feature column. */
export interface PreprocessPlan {
  split: SplitPlan;
  columns: Record<string, Treatment>;
}

/** One model to train: its id and the parameters that the person set. */
export interface ModelChoice {
  id: string;
  params: Record<string, unknown>;
}

/**
 * MODEL_SELECT: which models are trained, for how long, and by what they are judged.
 *
 * `trials` is how many parameter settings of each model are tried at the most (1: its defaults only).
 */
export interface ModelPlan {
  models: ModelChoice[];
  time_budget_s: number;
  metric: Metric;
  trials: number;
}

/** TRAIN: which run's model is kept, and for binary tasks from what probability a row is positive. */
export interface TrainPlan {
  keep: string;
  threshold: number | null;
}

/** REVIEW_EDIT: what goes into the bundle beside the model and `predict.py`. */
export interface ReviewPlan {
  report: boolean;
  notebook: boolean;
  training_code: boolean;
  event_log: boolean;
  sample_rows: number;
}

/** EXPORT has no gate; nothing is decided there. */
export type ExportPlan = Record<string, never>;

/** What each stage's gate decides: its `plan_json`. */
export interface Plans {
  PARSE_INTENT: IntentPlan;
  DATA_SOURCE: DataPlan;
  PROFILE_DATA: ProfilePlan;
  PREPROCESS: PreprocessPlan;
  MODEL_SELECT: ModelPlan;
  TRAIN: TrainPlan;
  REVIEW_EDIT: ReviewPlan;
  EXPORT: ExportPlan;
}

/** Say something: the request itself, or a change to it. */
export interface Chat {
  type: 'chat';
  id?: string | null;
  text: string;
}

/** Approve what the open gate proposes. */
export interface Confirm {
  type: 'confirm';
  id?: string | null;
  stage_id?: StageId | null;
  gate_id?: string | null;
}

/** Run a command by name. */
export interface Command {
  type: 'command';
  id?: string | null;
  command: string;
  args?: Record<string, unknown>;
}

/** Ask for a pong; `ts` comes back as it was sent. */
export interface Ping {
  type: 'ping';
  id?: string | null;
  ts?: number | null;
}

/** Ask for every event after `since`; `epoch` names the log that `since` counts in. */
export interface Resume {
  type: 'resume';
  id?: string | null;
  since: number;
  epoch?: string | null;
}

/** Listen to some events only; `names` of None means all. */
export interface Subscribe {
  type: 'subscribe';
  id?: string | null;
  names?: string[] | null;
  coalesce?: boolean;
}

/** Everything that a client may send. */
export type ClientMessage = Chat | Confirm | Command | Ping | Resume | Subscribe;

/** Stop what runs and run this stage again, with changes to its plan if there are any. */
export interface RestartStage {
  stage_id: StageId;
  params?: Record<string, unknown>;
}

/**
 * End what runs: `stop` it, `finish` with the best model so far, at once or `after_run`, when the run at work
 * has come to its own end, or end it `now` without grace.
 */
export interface CancelRun {
  run_id?: string | null;
  mode?: 'after_run' | 'finish' | 'now' | 'stop';
}

/** Use this one of the data set candidates. */
export interface SelectDataset {
  dataset_id: string;
}

/** Change what the open gate proposes by a JSON Patch (RFC 6902) of its `plan_json`. */
export interface UpdatePlan {
  stage_id: StageId;
  patch: Record<string, unknown>[];
}

/** The arguments of each built-in command. */
export interface CommandArgs {
  restart_stage: RestartStage;
  cancel_run: CancelRun;
  select_dataset: SelectDataset;
  update_plan: UpdatePlan;
}

/**
 * A project in the list of projects: the stage that it is at, and how that stands.
 *
 * `working` says that a stage is running. `ended_by` is who stopped the stage, where it is FAILED because somebody
 * did; else it is left out. `updated_ts` is Unix time in milliseconds.
 */
export interface ProjectEntry {
  project_id: string;
  epoch: string;
  seq: number;
  updated_ts: number;
  current_stage: StageId;
  status: StageStatus;
  working: boolean;
  ended_by?: User;
}

/**
 * How a stage stands. `attempt` is 0 before the first; times are Unix milliseconds.
 *
 * `ended_by` is who stopped it, where it is FAILED because somebody did; else it is left out.
 */
export interface StageSnapshot {
  id: StageId;
  index: number;
  status: StageStatus;
  message: string;
  attempt: number;
  reused: boolean;
  approved: boolean;
  plan_id: string;
  plan_json: Record<string, unknown> | null;
  started_ts: number | null;
  ended_ts: number | null;
  ended_by?: User;
}

/** The gate that is open, and what it proposes. */
export interface OpenGate {
  stage_id: StageId;
  gate_id: string;
  digest: string;
  summary: string;
  next_actions: string[];
  plan_id: string;
  plan_json: Record<string, unknown>;
}

/** What was decided at a gate, by whom and when (Unix milliseconds). */
export interface Decision {
  stage_id: StageId;
  plan_id: string;
  plan: Record<string, unknown>;
  by: User;
  ts: number;
  seq: number;
}

/** A training run. `status` is `running` until it has finished. */
export interface Run {
  run_id: string;
  model_id: string;
  attempt: number;
  metric_primary: string;
  config: Record<string, unknown>;
  status: string;
  final_metrics: FinalMetrics | null;
  reason: string | null;
  started_ts: number;
  finished_ts: number | null;
}

/** Everything that is true of a project at `seq`. */
export interface Snapshot {
  project_id: string;
  epoch: string;
  seq: number;
  current_stage: StageId;
  stages: StageSnapshot[];
  waiting_confirmation: OpenGate | null;
  decisions: Decision[];
  runs: Run[];
  leaderboard: LeaderboardRow[];
  best_model: BestModelUpdated | null;
  datasets: Dataset[];
  columns: string[];
  models: ModelCandidate[];
  artifacts: Artifact[];
  export: ExportReady | null;
  commands: CommandSpec[];
}
