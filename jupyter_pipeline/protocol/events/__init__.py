"""The events that a project logs: one type for each payload of the contract.

A class here is the payload; its ``NAME`` is the event's name on the wire. Keys added to the documented payload
are left out of the JSON while they are unset, so a client sees at least the documented keys, always.
"""

from .base import FileEntry, Patch, Payload, Pct, Phase, RunStatus, Split, User
from .data import (
    Dataset,
    DatasetCandidates,
    DatasetSampleReady,
    DatasetSelected,
    MissingnessTableReady,
    PreprocessSteps,
    ProfileProgress,
    ProfileSummary,
    PromptParsed,
    SplitSummary,
    TargetDistributionReady,
)
from .project import (
    Artifact,
    ArtifactAdded,
    FileTreeUpdate,
    LogLine,
    PlanApproved,
    PlanProposed,
    PlanRejected,
    StageStatusEvent,
    WaitingConfirmation,
)
from .review import (
    ClassificationMetricsReady,
    CodeWorkspaceReady,
    ConfusionMatrixReady,
    EditSuggestions,
    EvaluationComplete,
    EvaluationStarted,
    ExportProgress,
    ExportReady,
    FeatureImportanceReady,
    NotebookReady,
    PrecisionRecallCurveReady,
    RegressionMetricsReady,
    ReportReady,
    ResidualsPlotReady,
    RocCurveReady,
    RunAsset,
    ShapExplanationsReady,
)
from .training import (
    BestMetric,
    BestModelUpdated,
    FinalMetric,
    FinalMetrics,
    GdDiagnostic,
    LeaderboardRow,
    LeaderboardUpdated,
    MetricScalar,
    ModelCandidate,
    ModelCandidates,
    ModelSelected,
    ResourceStats,
    TrainProgress,
    TrainRunFinished,
    TrainRunStarted,
)


def _concrete(base: type[Payload]) -> list[type[Payload]]:
    found = [base] if "NAME" in vars(base) else []
    for sub in base.__subclasses__():
        found += _concrete(sub)
    return found


#: Every event of the contract by its name on the wire.
EVENT_TYPES: dict[str, type[Payload]] = {cls.NAME: cls for cls in _concrete(Payload)}

__all__ = [
    "EVENT_TYPES",
    "Artifact",
    "ArtifactAdded",
    "BestMetric",
    "BestModelUpdated",
    "ClassificationMetricsReady",
    "CodeWorkspaceReady",
    "ConfusionMatrixReady",
    "Dataset",
    "DatasetCandidates",
    "DatasetSampleReady",
    "DatasetSelected",
    "EditSuggestions",
    "EvaluationComplete",
    "EvaluationStarted",
    "ExportProgress",
    "ExportReady",
    "FeatureImportanceReady",
    "FileEntry",
    "FileTreeUpdate",
    "FinalMetric",
    "FinalMetrics",
    "GdDiagnostic",
    "LeaderboardRow",
    "LeaderboardUpdated",
    "LogLine",
    "MetricScalar",
    "MissingnessTableReady",
    "ModelCandidate",
    "ModelCandidates",
    "ModelSelected",
    "NotebookReady",
    "Patch",
    "Payload",
    "Pct",
    "Phase",
    "PlanApproved",
    "PlanProposed",
    "PlanRejected",
    "PrecisionRecallCurveReady",
    "PreprocessSteps",
    "ProfileProgress",
    "ProfileSummary",
    "PromptParsed",
    "RegressionMetricsReady",
    "ReportReady",
    "ResidualsPlotReady",
    "ResourceStats",
    "RocCurveReady",
    "RunAsset",
    "RunStatus",
    "ShapExplanationsReady",
    "Split",
    "SplitSummary",
    "StageStatusEvent",
    "TargetDistributionReady",
    "TrainProgress",
    "TrainRunFinished",
    "TrainRunStarted",
    "User",
    "WaitingConfirmation",
]
