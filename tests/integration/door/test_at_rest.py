"""A door at which nobody is: six processes with a broker, each of which wakes to feed its watchdog and for little else.

Counted are wake-ups and no times, so that a busy machine changes nothing: sleepers wake later, not oftener. What was
still under way to the broker when the watch began is no rest yet, and a busy machine is long about it: a room has a few
windows to show one in which it rests. One that wakes of its own accord does so in all of them.
"""

import time
from collections.abc import Callable, Mapping
from pathlib import Path

from device.edges import PROCESSES, Room
from tests.support import at_rest
from tests.support.door import door_up
from tests.support.mosquitto import Subscriber, running_broker
from tests.support.room_process import room_process, short_root, write_config
from tools.simulator.init import WATCHDOG_S

FEEDS = 4
WATCHED_S = FEEDS * WATCHDOG_S / 2  # fed twice as often as it bites
AT_MOST = FEEDS + 4
"""The feeds, one more at the edge, and three for pages that were not in memory. A look every second would be 20."""
WINDOWS = 3


def restless(pids: Mapping[Room, int], watch: Callable[[float], object] = time.sleep) -> dict[Room, int]:
    """The rooms that woke more often than that in every window, and how often in the calmest. All feed theirs."""
    calmest: dict[Room, int] = {}
    for _ in range(WINDOWS):
        before = {room: at_rest.of_process(pid) for room, pid in pids.items()}
        watch(WATCHED_S)
        woke = {room: at_rest.of_process(pid) - before[room] for room, pid in pids.items()}
        assert {room: count for room, count in woke.items() if count < FEEDS - 1} == {}, "a watchdog went hungry"
        calmest = {room: min(count, calmest.get(room, count)) for room, count in woke.items()}
        if max(calmest.values()) <= AT_MOST:
            break
    return {room: count for room, count in calmest.items() if count > AT_MOST}


def test_nobody_at_the_door_means_nobody_wakes_but_to_say_that_all_is_well(tmp_path: Path) -> None:
    with running_broker(tmp_path) as broker, Subscriber(broker) as witness, door_up(broker=broker.url) as home:
        home.move_in(12, "482913")
        witness.wait_for(lambda seen: any(each.payload == b"online" for each in seen))
        pids = {room: int(home.door.state()["pids"][room]) for room in PROCESSES}
        found = restless(pids)
        assert {room: int(home.door.state()["pids"][room]) for room in PROCESSES} == pids, "a room was started anew"
        assert found == {}


def test_seeded_fault_a_room_that_looks_every_second_is_seen() -> None:
    with short_root() as root:
        write_config(root, "")
        with room_process(Room.REPORT, root, {"WATCHDOG_USEC": "2000000"}) as running:

            def heard(seconds: float) -> None:  # as systemd would: a watchdog that nobody hears holds its room up
                ends = time.monotonic() + seconds
                while (left := ends - time.monotonic()) > 0:
                    running.notifications(left)

            assert restless({Room.REPORT: running.pid}, heard).keys() == {Room.REPORT}
