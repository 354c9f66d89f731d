"""The leash ends a real process that hangs where Python cannot reach it."""

import signal
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
    assert done.returncode == -signal.SIGALRM
    assert "most recent call first" in done.stderr
    assert "leash.py" not in done.stderr.splitlines()[1]  # the line that hung stands first
    assert "came back" not in done.stdout


def test_the_leash_is_taut_again_and_again() -> None:
    """Each frame is read on it: holding it a thousand times leaves it as strong, and no thread or timer behind."""
    many = "for _ in range(1000):\n    with leash.hold(0.3):\n        pass\nimport time; time.sleep(0.5)\n"
    before = "with leash.hold(30):"
    assert before in HANG
    done = run(HANG.replace(before, many + before).format(path=sys.path, seconds=60))
    assert done.returncode == -signal.SIGALRM
    assert "most recent call first" in done.stderr
    done = run(HANG.replace(before, many + before).format(path=sys.path, seconds=0))
    assert (done.returncode, done.stdout.strip()) == (0, "came back")


def test_what_is_left_by_an_error_is_off_the_leash() -> None:
    code = (
        f"import sys, time; sys.path[:0] = {sys.path!r}\n"
        "from device.eye.leash import Leash\n"
        "try:\n    with Leash().hold(0.2):\n        raise OSError\nexcept OSError:\n    time.sleep(0.4)\n"
        "print('came back')"
    )
    done = run(code)
    assert (done.returncode, done.stdout.strip()) == (0, "came back")


def test_other_threads_do_not_keep_a_hung_process_alive() -> None:
    start = (
        "import threading; threading.Thread(target=threading.Event().wait, daemon=True).start()\nwith leash.hold(30):"
    )
    done = run(HANG.replace("with leash.hold(30):", start).format(path=sys.path, seconds=60))
    assert done.returncode == -signal.SIGALRM


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
