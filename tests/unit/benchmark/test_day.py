"""A day at the door: its sum, and the clock it is counted with."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tools.benchmark.day import DAY_S, Costs, processor_ns


def test_a_day_is_its_idle_seconds_its_openings_and_what_a_passer_by_costs() -> None:
    costs = Costs(idle=10 / DAY_S, opening=0.25, passer_by=0.01, stranger=0.2)

    assert costs.day_s() == pytest.approx(10 + 40 * 0.25 + 200 * 0.01)
    assert costs.besieged_day_s() == pytest.approx(10 + 40 * 0.25 + 200 * 0.2)


def test_a_passer_by_who_seems_to_save_time_saves_none() -> None:
    assert Costs(0.0, 0.0, passer_by=-0.01, stranger=0.0).day_s() == 0.0


def test_what_another_process_works_is_seen_to_the_millisecond() -> None:
    code = (
        "import sys, time\nfor line in sys.stdin:\n s = time.process_time()\n"
        " while time.process_time() < s + .05: pass\n print(time.process_time_ns(), flush=True)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdin
        assert other.stdout
        seen = []
        for _ in range(2):
            other.stdin.write("\n")
            other.stdin.flush()
            own_ns = int(other.stdout.readline())
            seen.append((processor_ns(other.pid), own_ns))
        other.stdin.close()
    (first, first_own), (second, second_own) = seen
    assert second - first == pytest.approx(second_own - first_own, abs=5e6)
    assert second - first >= 50e6


def test_a_process_that_is_gone_is_an_error_and_no_zero() -> None:
    done = subprocess.Popen([sys.executable, "-c", "pass"])
    done.wait()

    with pytest.raises(OSError, match=r"Invalid argument|No such"):
        processor_ns(done.pid)
    assert processor_ns(os.getpid()) > 0
