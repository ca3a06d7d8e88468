"""Sphinx settings; ``sphinx-build -W docs docs/build`` with the extra ``docs``."""

import warnings
from pathlib import Path

project = "jupyter_pipeline"
author = "The jupyter_pipeline contributors"
_version: dict[str, str] = {}
for _line in (Path(__file__).parent.parent / "jupyter_pipeline" / "__init__.py").read_text().splitlines():
    if _line.startswith("__version__"):
        exec(_line, _version)  # noqa: S102
release = version = _version["__version__"]

extensions = ["myst_parser", "sphinx.ext.autodoc", "numpydoc", "autodoc_traits"]
autodoc_member_order = "bysource"
numpydoc_show_class_members = False
myst_heading_anchors = 3
exclude_patterns = ["build"]
# Said of a trait that every extension inherits.
warnings.filterwarnings("ignore", "\\s*Documenting PipelineApp.default_url", FutureWarning)
html_static_path = ["static"]  # custom.css, which the theme looks for
html_theme = "alabaster"
_SANS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
html_theme_options = {
    "description": "From a sentence and a data set to an exported model, inside Jupyter.",
    "sidebar_width": "250px",
    "page_width": "1320px",  # many tables have four columns
    "body_max_width": "none",
    "font_family": _SANS,
    "head_font_family": _SANS,
    "font_size": "15px",
}
