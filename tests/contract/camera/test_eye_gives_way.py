"""A face never delays a PIN: eye runs at a lower priority than whoever started it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from device.edges import Room
from tests.support.room_process import room_process, short_root, write_config

AUTOGROUP = Path("/proc/self/autogroup")
GIVE_WAY = """
import os, sys
sys.path[:0] = {path!r}
from device.eye.priority import give_way
give_way()
print(os.getpriority(os.PRIO_PROCESS, 0), open("/proc/self/autogroup").read())
"""


def priorities(*, own_session: bool) -> tuple[int, str]:
    """Of a process that gave way; and how the kernel describes its session, nothing if it keeps no group for it."""
    done = subprocess.run(
        [sys.executable, "-c", GIVE_WAY.format(path=sys.path)],
        capture_output=True,
        text=True,
        check=True,
        start_new_session=own_session,
    )
    process, _, session = done.stdout.strip().partition(" ")
    return int(process), session


def test_eye_lowers_its_own_priority_and_no_other_room_does() -> None:
    with short_root() as root:
        write_config(root, '[camera]\nbackend = "none"\n')
        ours = os.getpriority(os.PRIO_PROCESS, 0)
        with room_process(Room.EYE, root) as eye, room_process(Room.DESK, root) as desk:
            assert os.getpriority(os.PRIO_PROCESS, eye.pid) == min(19, ours + 10)
            assert os.getpriority(os.PRIO_PROCESS, desk.pid) == ours


@pytest.mark.skipif(not os.access(AUTOGROUP, os.W_OK), reason="this kernel has no autogroups")
def test_a_session_of_its_own_gives_way_and_a_shared_one_is_left_alone() -> None:
    ours = os.getpriority(os.PRIO_PROCESS, 0)
    # Empty where whoever started the tests made no session: such a process belongs to no group.
    before = AUTOGROUP.read_text().strip()
    assert priorities(own_session=False) == (min(19, ours + 10), before)
    process, session = priorities(own_session=True)
    assert process == min(19, ours + 10)
    if not session:
        pytest.skip("this kernel keeps no group for a session")
    assert session.endswith(" nice 10")
