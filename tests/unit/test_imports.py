"""Libraries are imported without the garbage collector, which is as it was afterwards."""

import gc
import weakref

import pytest

from pipelines import imports


class Cycle:
    """An object that only the collector can free."""

    def __init__(self) -> None:
        self.own = self


def test_nothing_is_collected_within_and_all_as_usual_afterwards() -> None:
    with imports.uncollected():
        assert not gc.isenabled()
        within = weakref.ref(Cycle())
    assert gc.isenabled()
    after = weakref.ref(Cycle())
    gc.collect()
    assert within() is not None  # it counts for a module, which stays
    assert after() is None


def test_the_collector_works_again_after_an_import_that_failed() -> None:
    with pytest.raises(ImportError), imports.uncollected():
        raise ImportError
    assert gc.isenabled()


def test_a_collector_that_is_off_stays_off() -> None:
    gc.disable()
    try:
        with imports.uncollected():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
