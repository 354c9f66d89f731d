"""A disk that is taken out of its door and started in another machine: same disk, another TPM."""

from collections.abc import Iterator

import pytest

from device.edges import Room
from tests.support.vm import booted
from tests.support.vm_door import BOLT, STARTS_WITHIN_S, OnMachine, unit
from tools.vm.machine import BOOTS_WITHIN_S
from tools.vm.say import VmFault

PIN_KEYS = "12#482913#"
SEALED = '[vault]\nroot_key_sealed_with = "tpm2"\n[keeper]\nroot_key_sealed_with = "tpm2"\n'


@pytest.fixture
def door() -> Iterator[OnMachine]:
    with booted() as machine:
        made = OnMachine(machine, more=SEALED)
        made.set_up()
        made.move_in(12, "482913")
        yield made


def start_again(door: OnMachine, tpm: str) -> None:
    """Switch off, put the disk beside the TPM of that name, and switch on."""
    machine = door.machine
    machine.agent.ask("sync")
    machine.kill()
    machine.tpm = machine.folder / tpm
    machine.start()
    machine.agent.wait_ready(BOOTS_WITHIN_S)
    machine.agent.until("systemctl is-active multi-user.target", "the end of the boot", STARTS_WITHIN_S)


def test_a_stolen_disk_opens_nothing_and_the_same_disk_at_home_does(door: OnMachine) -> None:
    door.types(PIN_KEYS)
    start_again(door, "another-tpm")
    states = f"systemctl show -P ActiveState {unit(Room.KEEPER)} {unit(Room.VAULT)}"
    refused = f"journalctl -b -u {unit(Room.KEEPER)} | grep -q 'key keeper.key cannot be read'"
    door.machine.agent.until(refused, "keeper without its key", STARTS_WITHIN_S)
    assert "active" not in door.machine.agent.ask(states).split()
    watch = door.lines.watch()
    door.press(PIN_KEYS)
    with pytest.raises(VmFault, match=f"{BOLT} did not rise"):
        watch.wait_high(BOLT, 20)
    start_again(door, "tpm")  # the fault is the TPM, and nothing was lost
    door.well()
    door.close_the_door()
    door.types(PIN_KEYS)
