"""The targets under atheris, guided by coverage: ``python -m tests.fuzz.with_atheris TARGET [libFuzzer's options]``.

TARGET is ``message``, ``event``, ``request``, or the ending of a data file, such as ``.csv`` or ``.csv.gz``. Without
options it runs for a minute, beginning with the samples; an input that crashes, takes over 20 seconds or 2 GB is said
and left behind as a file. atheris is no dependency: ``pip install --only-binary :all: atheris``.
"""

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["jupyter_pipeline"]):
    from . import targets
from .samples import EVENT, MESSAGES, files

DEFAULTS = ("-max_total_time=60", "-timeout=20", "-rss_limit_mb=2048", "-max_len=8192")


def main() -> None:
    """Fuzz one target."""
    name, options = sys.argv[1], sys.argv[2:]
    seeds = {"message": MESSAGES, "event": [EVENT], "request": [b"Predict churn in a.csv, recall, within 2 minutes"]}
    if name in seeds:
        target, begin = getattr(targets, name), seeds[name]
    else:
        target, begin = targets.table(name), [files()[name]]
    with tempfile.TemporaryDirectory() as corpus:
        for number, seed in enumerate(begin):
            (Path(corpus) / f"seed-{number}").write_bytes(seed)
        given = {option.partition("=")[0] for option in options}
        more = [option for option in DEFAULTS if option.partition("=")[0] not in given]
        atheris.Setup([sys.argv[0], *options, *more, corpus], target)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
