"""Whether memory grows: a leak is called one, a flat life flat, and a short one neither."""

import random
import subprocess
import sys

import pytest

from tools.soak import slope
from tools.soak.memory import Life, Sample, Watch
from tools.soak.slope import FEWEST, MOST_MB_A_YEAR, Verdict, climbs, mb_a_year

LEAKING = """
import sys
kept = []
for line in sys.stdin:
    kept.append(bytearray(int(line)))
    print("done", flush=True)
"""


def life(
    kb: list[float], every: int = 10, counts: list[int] | None = None, connections: list[int] | None = None
) -> Life:
    made = Life("keeper", 1, 0)
    for number, each in enumerate(kb):
        count, abroad = counts[number] if counts else 16, connections[number] if connections else 0
        made.samples.append(Sample(number * every, round(each), round(each), count, 2, abroad))
    return made


def noise(seed: int, samples: int, kb_a_sample: float = 0.0) -> list[float]:
    dice = random.Random(seed)
    return [18_000 + kb_a_sample * number + dice.choice((0, 0, 0, 4, 8, 64)) for number in range(samples)]


@pytest.mark.parametrize("seed", range(5))
def test_a_long_life_without_a_leak_is_flat(seed: int) -> None:
    found = life(noise(seed, 400))
    assert found.verdict is Verdict.FLAT
    assert found.slope
    assert found.slope.holds_zero


@pytest.mark.parametrize("seed", range(5))
def test_fault_a_kilobyte_an_approach_grows(seed: int) -> None:
    found = life(noise(seed, 400, kb_a_sample=10))
    assert found.verdict is Verdict.GROWS
    assert found.slope
    assert found.slope.kb == pytest.approx(1000, rel=0.03)
    assert mb_a_year(found.slope.low_kb) > MOST_MB_A_YEAR


def test_a_short_and_noisy_life_proves_nothing() -> None:
    dice = random.Random(1)
    found = life([18_000 + dice.randrange(400) for _ in range(30 + FEWEST)])
    assert found.slope
    assert found.slope.holds_zero
    assert found.verdict is Verdict.UNDECIDED
    assert life(noise(1, 25)).slope is None
    assert life(noise(1, 25)).verdict is Verdict.UNDECIDED


def test_what_a_process_takes_until_it_is_warm_is_no_leak() -> None:
    warm = slope.WARM // 10
    found = life([10_000 + 500 * number for number in range(warm)] + noise(3, 300))
    assert found.verdict is Verdict.FLAT


def test_one_high_sample_moves_nothing() -> None:
    samples = noise(4, 400)
    samples[200] += 50_000
    assert life(samples).verdict is Verdict.FLAT


@pytest.mark.parametrize(("every", "grows"), [(0, False), (100, True)])
def test_fault_a_descriptor_now_and_then_is_found(every: int, grows: bool) -> None:
    counts = [16 + number % 2 + (number // every if every else 0) for number in range(400)]
    found = life(noise(5, 400), counts=counts)
    assert (found.verdict is Verdict.GROWS) is grows
    assert found.climbing == (("descriptors",) if grows else ())


def test_a_broker_that_is_back_is_no_growth() -> None:
    found = life(noise(5, 400), connections=[int(number > 200) for number in range(400)])
    assert found.climbing == ()
    assert found.verdict is Verdict.FLAT


def test_fault_a_connection_that_is_left_open_each_time_is_found() -> None:
    found = life(noise(5, 400), connections=[1 + number // 100 for number in range(400)])
    assert found.climbing == ("connections",)
    assert found.verdict is Verdict.GROWS


def test_a_count_that_comes_and_goes_does_not_climb() -> None:
    at = list(range(0, 4000, 10))
    assert not climbs(at, [14 + number % 3 for number in range(400)])
    assert not climbs(at[:30], list(range(30))), "too few to tell"


@pytest.mark.slow
@pytest.mark.parametrize(("leaks", "verdict"), [(0, Verdict.FLAT), (1024, Verdict.GROWS)])
def test_fault_a_real_process_that_keeps_a_kilobyte_each_time_is_found(leaks: int, verdict: Verdict) -> None:
    """What the kernel says of it, sampled as that of a room."""
    watch = Watch()
    with subprocess.Popen(
        [sys.executable, "-c", LEAKING], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin
        assert process.stdout
        for number in range(3000):
            process.stdin.write(f"{leaks}\n")
            process.stdin.flush()
            process.stdout.readline()
            if number % 10 == 0:
                watch.look({"keeper": process.pid, "lock": 0}, number)
        process.stdin.close()
    assert [each.room for each in watch.lives] == ["keeper"]
    assert watch.lives[0].verdict is verdict, watch.lives[0].slope


def test_a_process_that_starts_anew_begins_a_life_and_the_longest_is_known() -> None:
    watch = Watch()
    with (
        subprocess.Popen([sys.executable, "-c", LEAKING], stdin=subprocess.PIPE) as one,
        subprocess.Popen([sys.executable, "-c", LEAKING], stdin=subprocess.PIPE) as other,
    ):
        for number in range(10):
            watch.look({"vault": one.pid if number < 7 else other.pid}, number * 10)
        for process in (one, other):
            process.kill()
    assert [(each.began, len(each.samples)) for each in watch.lives] == [(0, 7), (70, 3)]
    assert [each.pid for each in watch.longest()] == [one.pid]


def test_a_life_that_never_changes_is_flat_and_has_an_interval() -> None:
    found = life([24364.0] * 60).slope
    assert found is not None
    assert (found.kb, found.low_kb, found.high_kb) == (0.0, 0.0, 0.0)
    assert found.holds_zero
    assert found.verdict is Verdict.FLAT
