"""A whole door on a real machine: real units, real confinement, real lines. One resident with a PIN.

What the bolt does is read off its line (gpio-sim), by the guest's clock. Times are printed: `pytest -rP` shows them.
"""

import pytest

from device.edges import PROCESSES, Room
from tests.support.vm import journal, told
from tests.support.vm_door import BOLT, DOOR, LAMP, PATIENCE_S, OnMachine, all_active, unit
from tests.support.vm_resident import PIN, RIGHT, UNLOCK_MS, WRONG

LATE_S = 1.5  # how late the guest may see what happens: emulated, on a machine that others use


def granted(door: OnMachine) -> float:
    """Open by PIN; when the bolt's line rose, by the guest's clock."""
    watch = door.lines.watch()
    door.press(RIGHT)
    return watch.wait_high(BOLT, PATIENCE_S).at_s


def test_every_unit_runs_and_none_has_failed(door: OnMachine) -> None:
    assert all(door.well()["rooms"].values())
    assert door.machine.agent.ask("systemctl --failed --plain --no-legend") == ""


def test_a_pin_opens_for_as_long_as_door_toml_says_and_no_longer(door: OnMachine) -> None:
    rose_s, fell_s = door.types(RIGHT)
    told(f"open for {fell_s - rose_s:.2f} s of {UNLOCK_MS / 1000} s")
    assert UNLOCK_MS / 1000 - LATE_S < fell_s - rose_s <= UNLOCK_MS / 1000 + LATE_S


def test_it_locks_behind_whoever_went_in(door: OnMachine) -> None:
    watch = door.lines.watch()
    door.will_go_in()
    rose_s = granted(door)
    fell_s = watch.wait_pulse(BOLT, PATIENCE_S)[1]
    assert fell_s - rose_s < UNLOCK_MS / 1000 - LATE_S


def test_a_wrong_pin_is_answered_and_opens_nothing(door: OnMachine) -> None:
    watch = door.acts(lambda: door.press(WRONG))
    assert [change.high for change in watch.changes(BOLT)] == [False]
    door.lets_in(RIGHT)  # the same door, the same moment: it was the PIN


def test_a_pin_opens_with_eye_and_vault_stopped_and_the_lamp_stays_dark(door: OnMachine) -> None:
    rooms = f"{unit(Room.EYE)} {unit(Room.VAULT)}"
    door.machine.agent.ask(f"systemctl stop {rooms}")
    assert door.machine.agent.run(all_active(PROCESSES)).code != 0, "what waits for six rooms is content with four"
    watch = door.lines.watch()
    door.lets_in(RIGHT)
    assert not any(change.high for change in watch.changes(LAMP))
    door.machine.agent.ask(f"systemctl start {rooms}")
    door.well()


@pytest.mark.parametrize("room", PROCESSES)
def test_a_room_killed_while_the_door_is_open_leaves_it_locked_and_comes_back(door: OnMachine, room: Room) -> None:
    door.well()
    restarts, watch = door.restarts(room), door.lines.watch()
    rose_s = granted(door)
    killed_s = float(door.machine.agent.ask(f"cut -d' ' -f1 /proc/uptime; systemctl kill -s KILL {unit(room)}"))
    fell_s = watch.wait_pulse(BOLT, PATIENCE_S)[1]
    told(f"{room}: locked {fell_s - killed_s:.2f} s after the kill, {fell_s - rose_s:.2f} s after it opened")
    assert fell_s - rose_s <= UNLOCK_MS / 1000 + LATE_S
    if room is Room.LOCK:
        assert fell_s - killed_s < UNLOCK_MS / 1000 / 2
    door.machine.agent.until(f"[ $(systemctl show -P NRestarts {unit(room)}) -gt {restarts} ]", "a new start")
    door.well()
    assert len(watch.pulses(BOLT)) == 1, "the restart opened the door"
    door.lets_in(RIGHT)


def test_a_room_that_hangs_is_ended_by_its_watchdog(door: OnMachine) -> None:
    restarts = door.restarts(Room.EYE)
    door.kill(Room.EYE, 19)  # SIGSTOP
    started = f"[ $(systemctl show -P NRestarts {unit(Room.EYE)}) -gt {restarts} ]"
    door.machine.agent.until(started, "an end by the watchdog and a new start")
    assert "Watchdog timeout" in journal(door.machine, unit(Room.EYE))
    door.well()


def test_a_door_that_is_forced_is_an_alarm(door: OnMachine) -> None:
    alarm = "doorctl status --json | grep -q 'forced open'"
    door.close_the_door()
    door.machine.agent.until(f"! {alarm}", "a door without an alarm")
    door.lines.pull(DOOR, high=True)
    door.machine.agent.until(alarm, "the alarm")
    door.lines.pull(DOOR, high=False)


def test_a_clock_that_jumps_opens_nothing_and_shuts_nobody_out(door: OnMachine) -> None:
    watch = door.lines.watch()
    door.machine.agent.ask("date -s '+9 years' >/dev/null")
    door.machine.agent.until(f"systemctl is-active {unit(Room.LOCK)}", "lock")
    assert not any(change.high for change in watch.changes(BOLT))
    door.lets_in(RIGHT)
    door.machine.agent.ask("date -s '-9 years' >/dev/null")
    door.lets_in(RIGHT)


def test_a_full_disk_shuts_nobody_out(door: OnMachine) -> None:
    agent = door.machine.agent
    nearly_all = "$(($(stat -f -c '%f * %S' /var) - (32 << 20)))"
    agent.ask(f"fallocate -l {nearly_all} /var/filler0")
    agent.ask(
        "dd if=/dev/zero of=/var/filler bs=1M 2>/dev/null; dd if=/dev/zero of=/var/filler2 bs=512 2>/dev/null; true"
    )
    try:
        assert agent.run("dd if=/dev/zero of=/var/filler3 bs=4096 count=1").code != 0
        door.lets_in(RIGHT)
    finally:
        agent.ask("rm -f /var/filler*")
    door.well()


def test_a_power_cut_in_the_middle_of_an_unlock_leaves_it_locked(door: OnMachine) -> None:
    granted(door)
    ready_s = door.machine.reset()
    watch = door.lines.watch()
    door.well()
    told(f"agent {ready_s:.0f} s after power-on")
    assert not any(change.high for change in watch.changes(BOLT))
    door.close_the_door()
    door.lets_in(RIGHT)


def test_no_digit_of_a_pin_stands_in_the_journal(door: OnMachine) -> None:
    everything = door.machine.agent.ask("journalctl --no-pager -o export | strings")
    assert unit(Room.KEEPER) in everything
    assert PIN not in everything
