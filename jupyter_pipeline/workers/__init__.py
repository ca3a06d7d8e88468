"""Where stage work runs: worker processes, and how they are ended."""
