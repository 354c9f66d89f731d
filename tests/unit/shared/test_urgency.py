"""lock and keeper come first, as far as the system permits; and a loop that never pauses no longer does.

Each case is a process of its own: whoever asks is changed for good.
"""

import subprocess
import sys

import pytest

PERMITTED = """
import os
try:
    os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
except PermissionError:
    raise SystemExit(1)
"""
BEGIN = """
import os, resource, sys, threading, time
sys.path[:0] = {path!r}
from device import urgency
names = {{os.SCHED_OTHER: "other", os.SCHED_RR: "first"}}
def policy():
    return names[os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK]
"""
SPIN = """
end = time.process_time() + 2.0
while time.process_time() < end and policy() == "first":
    pass
print(policy())
"""


def told_by(code: str) -> subprocess.CompletedProcess[str]:
    text = BEGIN.format(path=[path for path in sys.path if path]) + code
    return subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=False, timeout=30)


permitted = pytest.mark.skipif(
    subprocess.run([sys.executable, "-c", PERMITTED], check=False).returncode != 0,
    reason="this system lets nobody come first",
)


@permitted
def test_whoever_asks_comes_first_and_none_of_its_threads_or_children_does() -> None:
    done = told_by("""
print(urgency.come_first("lock"), policy(), flush=True)
other = threading.Thread(target=lambda: print(policy(), flush=True))
other.start()
other.join()
child = os.fork()
if not child:
    print(policy(), flush=True)
    os._exit(0)
os.waitpid(child, 0)
""")
    assert done.stdout.split() == ["True", "first", "other", "other"]
    assert done.stderr == ""


@permitted
def test_without_that_guard_a_thread_would_come_first_as_well() -> None:
    done = told_by("""
os.SCHED_RESET_ON_FORK = 0
urgency.come_first("lock")
other = threading.Thread(target=lambda: print(policy()))
other.start()
other.join()
""")
    assert done.stdout.split() == ["first"]


@permitted
def test_a_loop_that_never_pauses_no_longer_comes_first_and_goes_on() -> None:
    done = told_by('urgency.PAUSE_WITHIN_S = 0.02\nurgency.come_first("keeper")' + SPIN)
    assert done.returncode == 0
    assert done.stdout.split() == ["other"]
    assert done.stderr == (
        "keeper was busy for too long without a pause; until it starts anew it waits like every other process\n"
    )


@permitted
def test_a_loop_that_pauses_comes_first_for_as_long_as_it_likes() -> None:
    done = told_by("""
urgency.PAUSE_WITHIN_S = 0.1
urgency.come_first("keeper")
for _ in range(10):
    end = time.thread_time() + 0.02
    while time.thread_time() < end:
        pass
    time.sleep(0.0001)
print(policy())
""")
    assert done.stdout.split() == ["first"]


@permitted
def test_one_that_cannot_even_give_up_is_killed() -> None:
    done = told_by("""
urgency.PAUSE_WITHIN_S, urgency.KILLED_AFTER_S = 0.02, 0.1
urgency.come_first("lock")
sum(range(10**12))  # no Python in between, so no signal is handled
""")
    assert done.returncode == -9


def test_whoever_may_not_come_first_runs_as_ever_and_says_so() -> None:
    done = told_by("""
def refused(*_):
    raise PermissionError(1, "not permitted")
os.sched_setscheduler = refused
print(urgency.come_first("lock"), policy())
""")
    assert done.stdout.split() == ["False", "other"]
    assert done.stderr.startswith("lock waits for a processor like every other process")


def test_without_a_limit_nobody_comes_first() -> None:
    done = told_by("""
def refused(*_):
    raise ValueError("not allowed to raise maximum limit")
resource.setrlimit = refused
print(urgency.come_first("lock"), policy())
""")
    assert done.stdout.split() == ["False", "other"]


def test_a_limit_that_is_lower_already_stays_and_leaves_time_to_give_up() -> None:
    done = told_by("""
resource.setrlimit(resource.RLIMIT_RTTIME, (40_000, 60_000))
urgency.come_first("lock")
print(*resource.getrlimit(resource.RLIMIT_RTTIME))
""")
    assert done.stdout.split() == ["30000", "60000"]


AT_THE_END = """
import atexit
urgency.come_first("lock")
{fault}
class Late:
    def __del__(self):
        # When the interpreter lets go of its modules: what is registered for its end has run, the process is there.
        print(policy(), flush=True)
late = Late()
late.itself = late  # found by nobody but the last collection
"""


@permitted
def test_end_of_a_process_waits_like_every_other() -> None:
    assert told_by(AT_THE_END.format(fault="")).stdout == "other\n"


@permitted
def test_fault_end_that_still_comes_first_is_seen() -> None:
    fault = "atexit.unregister(urgency._step_back)"
    assert told_by(AT_THE_END.format(fault=fault)).stdout == "first\n"
