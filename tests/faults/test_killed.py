"""A run is killed between two steps: what people see stays whole, and the next run is right."""

import shutil
import signal
from pathlib import Path

import pytest
from homes import Launcher, Recoveries, Situation, assert_old_or_new, bytes_of, said
from points import POINTS

pytestmark = pytest.mark.faults

_TIMES = (
    ("first_run", signal.SIGKILL),
    ("first_run", signal.SIGTERM),
    ("late_files", signal.SIGKILL),
    ("late_files", signal.SIGTERM),
    ("late_files", signal.SIGKILL),
)
_ENDS = {signal.SIGKILL: -signal.SIGKILL, signal.SIGTERM: 2}
_STAGE = {"dbt": "check", "all is": "check", "the snapshot": "check"}
_STAGE |= {"what the release": "build", "the release": "build", "what was checked": "load"}


def stage(point: str) -> str:
    """The verb after which a run soon comes to a point."""
    return next((verb for words, verb in _STAGE.items() if point.startswith(words)), "")


@pytest.mark.parametrize("point", POINTS)
def test_a_run_killed_at_a_named_point_leaves_the_old_or_the_new_and_is_done_again(
    point: str,
    request: pytest.FixtureRequest,
    launcher: Launcher,
    recoveries: Recoveries,
    place: Path,
) -> None:
    for time, (situation, number) in enumerate(_TIMES):
        known: Situation = request.getfixturevalue(situation)
        landed = bytes_of(known.raw)
        settings = known.home(place / f"killed-{list(POINTS).index(point)}-{time}", stage(point))
        code = launcher.run(settings, "run", arm=point, signal=int(number))
        assert code == _ENDS[number], f"ended with {code}"
        assert_old_or_new(said(settings), known.old, known.new)
        recoveries.assert_next_run_is_right(settings, known.new)
        assert bytes_of(known.raw) == landed
        shutil.rmtree(settings.home.parent)
