"""Writes the specification of the wire, made from the types: JSON Schema, AsyncAPI and OpenAPI.

``python -m jupyter_pipeline.spec docs/spec`` writes it; with ``--check`` it says which files are not up to date.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import yaml

from . import __version__
from .protocol.asyncapi import asyncapi
from .protocol.schema import json_schema
from .server.openapi import document


def specification() -> dict[str, str]:
    """The documents: file name to text."""
    return {
        "jsonschema.json": _json(json_schema()),
        "asyncapi.yaml": yaml.dump(
            asyncapi(__version__), sort_keys=False, allow_unicode=True, width=110, Dumper=_NoAliases
        ),
        "openapi.json": _json(document("/")),
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point of ``python -m jupyter_pipeline.spec``."""
    parser = argparse.ArgumentParser(prog="python -m jupyter_pipeline.spec", description=__doc__)
    parser.add_argument("folder", type=Path, help="where the documents are")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a document is not up to date")
    args = parser.parse_args(argv)
    stale = []
    for name, text in specification().items():
        place = args.folder / name
        if args.check:
            if not place.is_file() or place.read_text("utf-8") != text:
                stale.append(name)
        else:
            args.folder.mkdir(parents=True, exist_ok=True)
            place.write_text(text, "utf-8")
    if stale:
        print(f"Not up to date: {', '.join(stale)}. Run: python -m jupyter_pipeline.spec {args.folder}")
    return 1 if stale else 0


class _NoAliases(yaml.SafeDumper):  # type: ignore[misc]
    """Writes what occurs twice twice, so that every part can be read by itself."""

    def ignore_aliases(self, data: object) -> bool:
        """Never an alias."""
        return True


def _json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.exit(main())
