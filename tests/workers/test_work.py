"""What a worker process does with what it is sent."""

import io

from jupyter_pipeline.workers.main import Outlet


def test_who_is_asked_to_finish_before_it_begins_does_and_the_next_one_does_not() -> None:
    outlet = Outlet(io.BytesIO())
    outlet.given(7)
    outlet.finish(7)  # the worker is still getting ready
    outlet.begin(7, "TRAIN")
    assert outlet.finish_requested()
    outlet.finish(7)  # it has just come to its end by itself
    outlet.given(8)
    outlet.begin(8, "TRAIN")
    assert not outlet.finish_requested()
    outlet.finish(7)
    assert not outlet.finish_requested()
