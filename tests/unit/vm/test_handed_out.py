"""When a worker is given the tests of its next machine: xdist's own scheduler, and workers that only listen."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from tests.system.conftest import HERE, OneMachineEach

LONG = [f"{HERE.name}/test_install.py::test_{number}" for number in range(4)]
OTHERS = [f"{HERE.name}/test_{name}.py::test_{number}" for name in ("faces", "page", "broker") for number in range(3)]
TESTS = [*LONG, *OTHERS]


@dataclass(eq=False)
class Worker:
    """One that was told what to run, and runs nothing."""

    name: str
    told: list[int] = field(default_factory=list)
    shutting_down: bool = False

    @property
    def gateway(self) -> Any:
        return SimpleNamespace(id=self.name)

    def send_runtest_some(self, indices: list[int]) -> None:
        self.told += indices

    def shutdown(self) -> None:
        self.shutting_down = True

    @property
    def files(self) -> list[str]:
        return list(dict.fromkeys(TESTS[each].split("::")[0] for each in self.told))


def handed_out() -> tuple[Any, Worker, Worker]:
    """A scheduler that has given two workers their first tests."""
    options = SimpleNamespace(loadscopereorder=False, tx=["popen"] * 2, numprocesses=2, maxprocesses=None)
    config: Any = SimpleNamespace(option=options, getvalue=lambda _: options.tx, hook=None)
    made: Any = OneMachineEach(config)
    made.numnodes = 2
    workers = Worker("gw0"), Worker("gw1")
    for each in workers:
        made.add_node(each)
    for each in workers:
        made.add_node_collection(each, TESTS)
    made.schedule()
    return made, *workers


def test_a_worker_is_given_no_other_machine_while_two_of_its_tests_are_to_come() -> None:
    made, first, second = handed_out()
    assert [len(first.files), len(second.files)] == [1, 1]
    made.mark_test_complete(first, TESTS.index(LONG[0]))
    made.mark_test_complete(first, TESTS.index(LONG[1]))
    assert len(first.files) == 1, "two are left, and the next file would wait for them"
    for number in range(3):
        made.mark_test_complete(second, TESTS.index(OTHERS[number]))
    assert len(second.files) > 1


def test_every_test_is_handed_out_once_and_no_worker_waits_for_more() -> None:
    made, *workers = handed_out()
    ran: list[int] = []
    while len(ran) < len(TESTS):
        for each in workers:
            mine = [test for test in each.told if test not in ran]
            # A worker begins a test when it knows the next one, or that there is none.
            assert len(mine) > 1 or each.shutting_down
            if mine:
                made.mark_test_complete(each, mine[0])
                ran.append(mine[0])
    assert sorted(ran) == list(range(len(TESTS)))
    assert made.tests_finished
