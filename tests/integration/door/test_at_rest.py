"""A door at which nobody is: six processes with a broker, each of which wakes to feed its watchdog and for little else.

Counted are wake-ups and no times, so that a busy machine changes nothing: sleepers wake later, not oftener.
"""

import time
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


def test_nobody_at_the_door_means_nobody_wakes_but_to_say_that_all_is_well(tmp_path: Path) -> None:
    with running_broker(tmp_path) as broker, Subscriber(broker) as witness, door_up(broker=broker.url) as home:
        home.move_in(12, "482913")
        witness.wait_for(lambda seen: any(each.payload == b"online" for each in seen))
        pids = {room: int(home.door.state()["pids"][room]) for room in PROCESSES}
        time.sleep(1.0)
        before = {room: at_rest.of_process(pid) for room, pid in pids.items()}
        time.sleep(WATCHED_S)
        woke = {room: at_rest.of_process(pid) - before[room] for room, pid in pids.items()}
        assert {room: int(home.door.state()["pids"][room]) for room in PROCESSES} == pids, "a room was started anew"
        assert {room: count for room, count in woke.items() if count > AT_MOST} == {}
        assert {room: count for room, count in woke.items() if count < FEEDS - 1} == {}, "a watchdog went hungry"


def test_seeded_fault_a_room_that_looks_every_second_is_seen() -> None:
    with short_root() as root:
        write_config(root, "")
        with room_process(Room.REPORT, root, {"WATCHDOG_USEC": "2000000"}) as running:
            time.sleep(1.0)
            assert at_rest.within(WATCHED_S, lambda: at_rest.of_process(running.pid)) > AT_MOST
