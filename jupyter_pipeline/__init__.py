"""From a sentence and a data set to a reviewed, exported, reproducible model, inside Jupyter."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .client.pipeline import Pipeline as Pipeline

__version__ = "0.1.0"
__all__ = ["Pipeline", "__version__"]


def __getattr__(name: str) -> Any:
    if name == "Pipeline":
        from .client.pipeline import Pipeline

        return Pipeline
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    from .server.app import PipelineApp

    return [{"module": "jupyter_pipeline", "app": PipelineApp}]


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    return [{"src": "labextension", "dest": "jupyter-pipeline"}]


def load_ipython_extension(ipython: Any) -> None:
    """Register ``%pipeline`` and ``%%pipeline`` (``%load_ext jupyter_pipeline``)."""
    from .client.magics import PipelineMagics

    ipython.register_magics(PipelineMagics)
