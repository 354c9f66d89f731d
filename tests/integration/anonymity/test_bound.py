"""The building profile's bound, with as many trials as it needs: the share of `python -m tools.anonymity` for tests."""

import pytest

from tools.anonymity.leaks import FlagsInTheOpen, SizeByMethod
from tools.anonymity.measure import LIMIT, Line, Size, measure
from tools.anonymity.plan import A_FAULT_A_DAY
from tools.anonymity.tasks import Setting, Task
from tools.anonymity.voices import Building

LINES = [
    (Setting(Task.WHO, 5), Size(600, 4000)),
    (Setting(Task.WHO, 20), Size(400, 1500)),
    (Setting(Task.REFUSER, 4), Size(200, 3000)),
]


@pytest.mark.parametrize(("setting", "size"), LINES, ids=lambda each: str(getattr(each, "task", "")))
def test_advantage_in_the_default_profile_is_at_most_three_points_at_the_bound(setting: Setting, size: Size) -> None:
    line = Line(f"test: {setting.task.value}, {setting.people}", Building, setting)
    for result in measure(line, size, 1):
        assert result.at_most <= LIMIT, result


def test_what_goes_wrong_told_in_the_open_tells_an_empty_house() -> None:
    """The seeded fault: more than three points, where the door above stays below."""
    setting = Setting(Task.HOLIDAY, 5, A_FAULT_A_DAY)
    assert all(result.caught for result in measure(Line("leak", FlagsInTheOpen, setting), Size(60, 100), 1))


def test_a_method_in_the_size_tells_who_opted_out() -> None:
    (result,) = measure(Line("leak", SizeByMethod, Setting(Task.REFUSER, 4)), Size(100, 200), 1)
    assert result.caught
