/** What a project consists of, as the view knows it. Types alone. */

import type { Series } from './series';
import type { StageId, StageStatus } from './stages';

export type Json = any;
export type Plan = Record<string, Json>;

export interface Person {
  username: string;
  name: string;
}

export interface Stage {
  id: StageId;
  status: StageStatus;
  message: string;
  attempt: number;
  reused: boolean;
  finishing: boolean;
  /** Whether it finishes when the run at work has come to its own end. */
  lastRun: boolean;
  /** Who stopped it, where it is FAILED because somebody did. */
  endedBy: Person | null;
  startedTs: number | null;
  endedTs: number | null;
  plan: Plan | null;
  /** The name of that proposal. */
  planId: string;
  approved: boolean;
  /** What its last proposal said will run again. */
  reruns: StageId[];
}

export interface Gate {
  stageId: StageId;
  gateId: string;
  plan: Plan;
  summary: string;
  /** Stages that ran before and will run again because of this plan. */
  reruns: StageId[];
}

export interface ChatLine {
  seq: number;
  ts: number;
  source: string;
  text: string;
  by?: Person;
}

export interface LogLine {
  seq: number;
  ts: number;
  runId: string;
  level: string;
  text: string;
}

/** Something that a person did. */
export interface HistoryEntry {
  seq: number;
  ts: number;
  kind: 'confirmed' | 'changed' | 'restarted' | 'cancelled' | 'finishing' | 'attached';
  stageId: StageId;
  by: Person | null;
  text: string;
  plan?: Plan;
  patch?: Json[];
}

export interface Dataset {
  id: string;
  name: string;
  source: string;
  desc: string;
  meta: Record<string, Json>;
}

export interface ModelCandidate {
  id: string;
  name: string;
  family: string;
  why: string;
  requirements: string[];
  cost_s: number | null;
  params: Record<string, Json>;
}

export interface Resources {
  cpuPct: number;
  ramMb: number;
  gpuPct: number | null;
  vramMb: number | null;
  stepPerSec: number | null;
}

export interface Run {
  runId: string;
  modelId: string;
  metric: string;
  config: Record<string, Json>;
  status: 'running' | 'success' | 'failed' | 'cancelled';
  reason: string;
  phase: string;
  pct: number;
  etaS: number | null;
  startedTs: number;
  endedTs: number | null;
  /** `metric/split` -> curve. */
  series: Map<string, Series>;
  final: { name: string; split: string; value: number | null }[];
}

export interface LeaderboardRow {
  run_id: string;
  model: string;
  params: Record<string, Json>;
  metric: number | null;
  runtime_s: number;
  status: string;
  reason?: string;
}

export interface Figure {
  url: string;
  dataUrl: string | null;
}

/** What was measured of a model beside its curve. */
export interface Evaluation {
  runId: string;
  split: string;
  metrics: Record<string, number | null>;
  figures: Map<FigureKind, Figure>;
}

export type FigureKind = 'confusion' | 'roc' | 'precision_recall' | 'residuals' | 'importance' | 'shap';

export interface Artifact {
  id: string;
  type: string;
  name: string;
  url: string;
  meta: Record<string, Json>;
}

export interface Bundle {
  url: string;
  contents: string[];
  checksum: string;
}

/** Something that a person should hear of once; only of what happens while they look. */
export type Moment =
  | { kind: 'stage'; stageId: StageId; status: StageStatus; message: string }
  | { kind: 'gate'; stageId: StageId; summary: string; gateId: string }
  | { kind: 'failed'; stageId: StageId; message: string; by: Person | null }
  | { kind: 'finished' }
  | { kind: 'answer'; text: string }
  | { kind: 'best'; runId: string; modelId: string; metric: string; value: number | null };
