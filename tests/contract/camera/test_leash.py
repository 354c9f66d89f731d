"""The leash ends a real process that hangs where Python cannot reach it."""

import subprocess
import sys

from device.service import EXIT_FAULT

HANG = """
import ctypes, sys
sys.path[:0] = {path!r}
from device.eye.leash import Leash
leash = Leash()
with leash.hold(30):
    pass
with leash.hold(0.3):
    ctypes.PyDLL(None).sleep({seconds})  # keeps the interpreter's lock, as a broken driver may
print("came back")
"""


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=20, check=False)


def test_a_call_that_never_returns_ends_the_process_and_says_where() -> None:
    done = run(HANG.format(path=sys.path, seconds=60))
    assert done.returncode == 1
    assert "Timeout" in done.stderr
    assert "came back" not in done.stdout


def test_a_call_that_returns_in_time_is_left_alone() -> None:
    done = run(HANG.format(path=sys.path, seconds=0))
    assert (done.returncode, done.stdout.strip()) == (0, "came back")


def test_giving_up_ends_the_process_with_a_sentence_and_without_cleanup() -> None:
    code = (
        f"import atexit, sys; sys.path[:0] = {sys.path!r}; atexit.register(print, 'cleanup')\n"
        "from device.eye.leash import Leash; Leash().give_up('the camera failed repeatedly')"
    )
    done = run(code)
    assert done.returncode == EXIT_FAULT
    assert "the camera failed repeatedly" in done.stderr
    assert "cleanup" not in done.stdout
