"""From a sentence and a data set to a reviewed, exported, reproducible model, inside Jupyter.

``Pipeline("churn")`` is a project, by its name; its docstring says the rest. What cannot be done raises a
``PipelineError``, whose text says what would be right. ``%load_ext jupyter_pipeline`` gives ``%pipeline``.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .client.errors import PipelineError as PipelineError
    from .client.pipeline import Pipeline as Pipeline

__version__ = "0.1.0"
__all__ = ["Pipeline", "PipelineError", "__version__"]


def __getattr__(name: str) -> Any:
    if name == "Pipeline":
        from .client.pipeline import Pipeline

        return Pipeline
    if name == "PipelineError":
        from .client.errors import PipelineError

        return PipelineError
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__} - {"Any", "TYPE_CHECKING"})  # for completion: what is imported when first used


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    from .server.app import PipelineApp

    return [{"module": "jupyter_pipeline", "app": PipelineApp}]


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    return [{"src": "labextension", "dest": "jupyter-pipeline"}]


def load_ipython_extension(ipython: Any) -> None:
    """Register ``%pipeline`` and ``%%pipeline`` (``%load_ext jupyter_pipeline``)."""
    from .client.magics import PipelineMagics

    ipython.register_magics(PipelineMagics)
