"""A machine becomes a door: `doorctl setup` with nobody at it, the power cut, and its next start.

The root keys are sealed with the TPM, vault's epoch key lies in it, and the lines are gpiozero's, by which a Raspberry
Pi drives them. What set-up asked of the machine as a whole is asked of what runs, not read in a file.
"""

from collections.abc import Iterator

import pytest

from device.desk.upkeep import whole_machine
from device.edges import PROCESSES, Room
from tests.support.vm import booted, told
from tests.support.vm_door import BOLT, DOOR, FACE, KEYPAD, LAMP, LIGHT, PATIENCE_S, REX, TAMPER, OnMachine, unit
from tools.vm.image import BROUGHT
from tools.vm.machine import Machine

pytestmark = pytest.mark.long  # five minutes of a processor; what it ends in, the other files begin with
UP = f"systemctl is-active multi-user.target && test -e {KEYPAD}"
SLOT, PIN = 12, "482913"
RIGHT = f"{SLOT}#{PIN}#"
UNLOCK_MS = 10_000
# What `doorctl join` leaves, which is tried elsewhere (test_broker.py).
JOINED = '[door]\nid = "{}"\nmanager_key = "{}"\n'
LINES = {
    "bolt_pin": BOLT,
    "lamp_pin": LAMP,
    "status_led_pin": LIGHT,
    "face_button_pin": FACE,
    "rex_pin": REX,
    "door_switch_pin": DOOR,
    "tamper_pin": TAMPER,
}
ANSWERS_FILE = f"{BROUGHT}/answers.toml"
PLACES = " ".join(f"/{place}" for place in whole_machine.PLACES)
INDEX = "0x01800d01"  # vault's, in the TPM
ANSWERS = """
[setup]
watchdog = true

[camera]
backend = "none"

[vault]
key_store = "tpm-nv"
root_key_sealed_with = "tpm2"

[keeper]
root_key_sealed_with = "tpm2"

[lock]
board = "gpiozero"
{lines}
keypad = "{keypad}"
unlock_ms = {unlock_ms}

[sign]
contact = "Office, 030 123"
"""
# gpiozero asks the processor which board this is: the machine's own says nothing of the kind.
AS_ON_A_PI = "mount --bind /run/cpuinfo /proc/cpuinfo"
FOR_LOCK = "[Service]\nBindReadOnlyPaths=/run/cpuinfo:/proc/cpuinfo\n"
LOGIND = "busctl get-property org.freedesktop.login1 /org/freedesktop/login1 org.freedesktop.login1.Manager"
# A TPM's node that is none: who has the disk and this machine's host key, and no TPM.
WITHOUT_TPM = "unshare -m sh -c 'mount --bind /dev/null /dev/tpmrm0 && {}'"


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    with booted() as made:
        made.agent.until(
            f"systemctl is-active multi-user.target && test -e {KEYPAD}", "the end of the boot", PATIENCE_S
        )
        yield made


@pytest.fixture(scope="module")
def before(machine: Machine) -> dict[str, str]:
    """What holds on this machine while it is no door."""
    return in_effect(machine)


@pytest.fixture(scope="module")
def door(machine: Machine, before: dict[str, str]) -> OnMachine:
    """The door, set up from a file of answers, its power cut at once, and started by that alone."""
    assert before["watchdog"] == "0"
    made = OnMachine(machine, board="gpiozero", unlock_ms=UNLOCK_MS)
    words = ANSWERS.format(
        lines="\n".join(f'{name} = "{line}"' for name, line in LINES.items()),
        keypad=KEYPAD,
        unlock_ms=UNLOCK_MS,
    )
    machine.agent.put(ANSWERS_FILE, words.encode())
    machine.agent.ask(AS_ON_A_PI)
    said = made.doorctl("setup", "--answers", ANSWERS_FILE)
    assert said.code == 0, said
    machine.agent.ask(f"ls {PLACES}")
    machine.agent.put("/etc/doorward/joined.toml", JOINED.format(made.door_id, made.manager.public).encode())
    made.machine.agent.put("/etc/systemd/system/doorward-lock.service.d/60-vm.conf", FOR_LOCK.encode())
    machine.agent.ask("sync /etc/doorward/joined.toml /etc/systemd/system/doorward-lock.service.d/60-vm.conf")
    machine.reset()
    made.well()
    made.close_the_door()
    return made


def in_effect(machine: Machine) -> dict[str, str]:
    """What the running system says of the watchdog and of keys that would switch it off."""
    agent = machine.agent
    ask = {
        "watchdog": "systemctl show -P RuntimeWatchdogUSec",
        "burst": "systemctl show -P CtrlAltDelBurstAction",
        "ctrl-alt-del": "systemctl show -P LoadState ctrl-alt-del.target",
        "sysrq": "cat /proc/sys/kernel/sysrq",
        "power key": f"{LOGIND} HandlePowerKey",
        "lid": f"{LOGIND} HandleLidSwitch",
    }
    said = agent.ask("; ".join(ask.values())).splitlines()
    return dict(zip(ask, said, strict=True))


def test_what_set_up_wrote_is_in_effect_after_a_power_cut(door: OnMachine) -> None:
    assert in_effect(door.machine) == {
        "watchdog": "10s",
        "burst": "none",
        "ctrl-alt-del": "masked",
        "sysrq": "0",
        "power key": 's "ignore"',
        "lid": 's "ignore"',
    }


def test_every_room_is_up_with_keys_that_this_tpm_alone_opens(door: OnMachine) -> None:
    agent = door.machine.agent
    assert all(door.restarts(room) == 0 for room in PROCESSES)
    for room in (Room.KEEPER, Room.LOCK, Room.VAULT):
        opened = f"systemd-creds decrypt --name={room}.key /etc/credstore.encrypted/{room}.key - >/dev/null"
        agent.ask(opened)
        assert agent.run(WITHOUT_TPM.format(opened)).code != 0
    agent.ask(f"tpm2_nvreadpublic {INDEX}")


def test_a_pin_opens_through_gpiozero_and_the_door_locks_again(door: OnMachine) -> None:
    door.move_in(SLOT, PIN)
    rose_s, fell_s = door.types(RIGHT)
    told(f"gpiozero: open for {fell_s - rose_s:.2f} s of {UNLOCK_MS / 1000} s")
    assert fell_s - rose_s == pytest.approx(UNLOCK_MS / 1000, abs=1.5)


def test_lock_killed_while_the_door_is_open_leaves_it_locked_through_gpiozero(door: OnMachine) -> None:
    restarts, watch = door.restarts(Room.LOCK), door.lines.watch()
    door.press(RIGHT)
    watch.wait_high(BOLT, PATIENCE_S)
    killed_s = float(door.machine.agent.ask(f"cut -d' ' -f1 /proc/uptime; systemctl kill -s KILL {unit(Room.LOCK)}"))
    fell_s = watch.wait_pulse(BOLT, PATIENCE_S)[1]
    told(f"gpiozero: locked {fell_s - killed_s:.2f} s after the kill")
    assert fell_s - killed_s < UNLOCK_MS / 1000 / 2
    door.machine.agent.until(f"[ $(systemctl show -P NRestarts {unit(Room.LOCK)}) -gt {restarts} ]", "a new start")
    door.well()
    door.close_the_door()
    assert len(watch.pulses(BOLT)) == 1, "the restart opened the door"
