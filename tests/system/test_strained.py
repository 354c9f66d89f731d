"""A machine in trouble: no memory, its keypad pulled out, its kernel hung. PINs open again, and nothing else opens.

What the bolt does is read off its line (gpio-sim), by the guest's clock. Times are printed: `pytest -rP` shows them.
"""

from contextlib import suppress
from typing import Final

import pytest

from device.edges import PROCESSES, Room
from tests.support.vm import journal, told
from tests.support.vm_door import BOLT, KEYPAD, PATIENCE_S, OnMachine, unit
from tests.support.vm_resident import RIGHT, UNLOCK_MS
from tools.vm.machine import BOOTS_WITHIN_S, KEYPAD_DEVICE
from tools.vm.say import VmFault

EAT: Final = "python3 -c 'eaten = []\nwhile True: eaten.append(bytearray(b\"x\") * (1 << 23))'"
BARE_START: Final = "/usr/lib/doorward/bin/python -I -B -c pass"
MOST_BARE_STARTS: Final = 300  # until a room is ready; one that waits for something takes seconds, which are thousands
STOPPING: Final = (
    ("ctrl", "alt", "delete"),
    ("ctrl", "alt", "kp_decimal"),
    ("alt", "sysrq", "b"),
    ("power",),
    ("sleep",),
)
# Whoever presses Ctrl, Alt and Del, and is heard, leaves a file instead of starting the machine anew.
CAD, HEARD = "/run/systemd/system/ctrl-alt-del.service", "/run/heard"
_CAD = f"[Service]\nType=oneshot\nExecStart=/usr/bin/touch {HEARD}\n"


def chord(door: OnMachine, *keys: str) -> None:
    """Hold keys of the keypad down together."""
    for down, each in [(True, key) for key in keys] + [(False, key) for key in reversed(keys)]:
        event = {"key": {"type": "qcode", "data": each}, "down": down}
        door.machine.monitor.ask("input-send-event", events=[{"type": "key", "data": event}])
    door.machine.agent.ask("sleep 1")  # by the guest's clock: what it starts is seen


def boot_id(door: OnMachine) -> str:
    return door.machine.agent.ask("cat /proc/sys/kernel/random/boot_id")


def keypad_is_held(door: OnMachine) -> None:
    """Return when lock has the keypad in hand."""
    opened = f"ls -l /proc/$(systemctl show -P MainPID {unit(Room.LOCK)})/fd | grep -q /dev/input/event"
    door.machine.agent.until(f"test -e {KEYPAD} && {opened}", "lock with the keypad in hand")


@pytest.mark.parametrize("room", [Room.LOCK, Room.KEEPER, Room.EYE])
def test_a_room_over_its_memory_is_ended_the_bolt_secured_and_it_comes_back(door: OnMachine, room: Room) -> None:
    """Somebody who eats stands in the room's own control group, so that the limit is the unit's."""
    door.well()
    agent, restarts, watch = door.machine.agent, door.restarts(room), door.lines.watch()
    agent.put("/run/eat", EAT.encode())
    door.press(RIGHT)
    rose_s = watch.wait_high(BOLT, PATIENCE_S).at_s
    group = f"/sys/fs/cgroup$(systemctl show -P ControlGroup {unit(room)})/cgroup.procs"
    assert agent.run(f"echo $$ > {group} && exec bash /run/eat").code != 0
    fell_s = watch.wait_pulse(BOLT, PATIENCE_S)[1]
    told(f"{room}: locked {fell_s - rose_s:.2f} s after it opened, of {UNLOCK_MS / 1000} s")
    if room is Room.LOCK:
        assert fell_s - rose_s < UNLOCK_MS / 1000 / 2
    agent.until(f"[ $(systemctl show -P NRestarts {unit(room)}) -gt {restarts} ]", "a new start")
    assert "oom-kill" in journal(door.machine, unit(room))
    door.well()
    assert len(watch.pulses(BOLT)) == 1, "the new start opened the door"
    door.lets_in(RIGHT)


def test_a_keypad_that_is_pulled_out_and_plugged_in_again_works(door: OnMachine) -> None:
    restarts, watch, monitor = door.restarts(Room.LOCK), door.lines.watch(), door.machine.monitor
    keypad_is_held(door)
    since = len(monitor.events)
    monitor.ask("device_del", id=KEYPAD_DEVICE["id"])
    monitor.wait("DEVICE_DELETED", PATIENCE_S, since)
    door.machine.agent.until(f"test ! -e {KEYPAD}", "the end of the keypad")
    assert all(door.well()["rooms"].values())
    monitor.ask("device_add", **KEYPAD_DEVICE)
    keypad_is_held(door)
    assert not watch.pulses(BOLT)
    door.lets_in(RIGHT)
    assert door.restarts(Room.LOCK) == restarts


def test_keys_that_stop_a_computer_do_not_reach_past_the_lock(door: OnMachine) -> None:
    """Ctrl, Alt and Del are heard at once where lock does not hold the keypad: that shows that they were pressed."""
    agent, restarts, watch, before = door.machine.agent, door.restarts(Room.LOCK), door.lines.watch(), boot_id(door)
    target = "[Unit]\nWants=ctrl-alt-del.service\nAfter=ctrl-alt-del.service\n"
    agent.put("/etc/systemd/system/ctrl-alt-del.target", target.encode())
    agent.put(CAD, _CAD.encode())
    agent.ask("systemctl daemon-reload")
    keypad_is_held(door)
    for keys in STOPPING:
        chord(door, *keys)
    assert agent.run(f"test -e {HEARD}").code != 0
    assert boot_id(door) == before
    assert door.restarts(Room.LOCK) == restarts
    assert not watch.pulses(BOLT)
    door.lets_in(RIGHT)
    agent.ask(f"systemctl stop {unit(Room.LOCK)}")
    chord(door, "ctrl", "alt", "delete")
    agent.until(f"test -e {HEARD}", "keys that are heard without lock")
    agent.ask(f"systemctl start --no-block {unit(Room.LOCK)}")
    door.well()
    door.lets_in(RIGHT)


def test_a_kernel_that_hangs_while_the_door_is_open_is_reset_and_the_door_is_locked(door: OnMachine) -> None:
    """The machine boots again. It panics and is told to stay as it is: nothing but the watchdog acts."""
    agent, monitor = door.machine.agent, door.machine.monitor
    setting = "/usr/share/doorward/system.conf.d/50-doorward.conf"  # as the package advises
    agent.ask(f"install -D -t /etc/systemd/system.conf.d {setting} && systemctl daemon-reexec")
    agent.until("systemctl show -P RuntimeWatchdogUSec | grep -qx 10s", "a watchdog that is fed")
    boots, since, before = agent.boots, len(monitor.events), boot_id(door)
    watch = door.lines.watch()
    door.press(RIGHT)
    watch.wait_high(BOLT, PATIENCE_S)
    with suppress(VmFault):  # nobody answers any more
        agent.run("echo 0 >/proc/sys/kernel/panic; echo c >/proc/sysrq-trigger")
    monitor.wait("WATCHDOG", PATIENCE_S, since)
    told(f"agent {agent.wait_ready(BOOTS_WITHIN_S, boots):.0f} s after the watchdog's reset")
    watch = door.lines.watch()
    assert boot_id(door) != before
    door.well()
    assert not any(change.high for change in watch.changes(BOLT))
    door.close_the_door()
    door.lets_in(RIGHT)
    assert all(door.restarts(room) == 0 for room in PROCESSES)


def test_the_door_waits_for_no_network_as_it_starts(door: OnMachine) -> None:
    """How long each room takes from its start until it is ready, all at once at the boot, in bare Python starts."""
    agent = door.machine.agent
    chain = agent.ask("systemd-analyze critical-chain --no-pager doorward.target")
    told(chain)
    assert "network" not in chain
    bare_s = bare_start_s(door)
    for room in PROCESSES:
        began_s, ready_s = started(door, room)
        assert 0 < began_s < ready_s
        told(f"{room}: ready after {(ready_s - began_s) / bare_s:.0f} bare starts of {bare_s:.2f} s")


def test_each_room_is_ready_again_after_a_restart_as_soon_as_at_the_boot(door: OnMachine) -> None:
    """One after the other, in bare Python starts: from `systemctl restart` on, and from the new process on."""
    agent = door.machine.agent
    bare_s = bare_start_s(door)
    for room in PROCESSES:
        asked_s = float(agent.ask(f"cut -d' ' -f1 /proc/uptime; systemctl restart {unit(room)}"))
        began_s, ready_s = started(door, room)
        assert asked_s < began_s < ready_s
        assert ready_s - began_s < MOST_BARE_STARTS * bare_s
        told(
            f"{room}: ready {(ready_s - began_s) / bare_s:.0f} bare starts after its process began, "
            f"{(ready_s - asked_s) / bare_s:.0f} after `systemctl restart`"
        )
    door.well()


def bare_start_s(door: OnMachine) -> float:
    """The quickest of three starts of the package's Python that has nothing to do."""
    timed = f"TIMEFORMAT=%R; for _ in 1 2 3; do time {BARE_START}; done"
    return min(map(float, door.machine.agent.run(timed).err.split()))


def started(door: OnMachine, room: Room) -> tuple[float, float]:
    """When the process of `room` began, and when it said that it was ready: s since power-on."""
    names = ("ExecMainStartTimestampMonotonic", "ActiveEnterTimestampMonotonic")
    began, ready = (int(door.machine.agent.ask(f"systemctl show -P {name} {unit(room)}")) / 1e6 for name in names)
    return began, ready
