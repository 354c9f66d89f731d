"""kill -9 of a real vault in the middle of every change to its disk: nothing acknowledged is lost or comes back.

Ten kills in each kind of change, as in `test_keeper_kills.py`, at moments drawn at random over the time the change
takes; the same changes cut at every single file operation, on a simulated disk, stand in
tests/unit/sealing/test_power_cuts.py.
"""

import random
import secrets
import time
from collections.abc import Iterator

import pytest

from device import wire
from device.edges import Room
from device.wire import Purpose, Result
from tests.support.room_process import write_config
from tests.support.vault_process import FRAMES, VaultAtWork, face, vault_at_work

KILLS = 10
STAYS = 11  # a resident whom none of this concerns
GOES = 12
CHANGE_S = 0.025  # what a change takes here, with room for a slower disk: kills are drawn from this span


@pytest.fixture(scope="module")
def vault() -> Iterator[VaultAtWork]:
    with vault_at_work("expiry_grace_s = 0") as running:
        running.enrol(STAYS, face(STAYS))
        yield running


def moment(kill: int) -> float:
    """When to strike, in seconds after the last word; the same in every run."""
    return random.Random(kill).uniform(0.0, CHANGE_S)


def strikes(vault: VaultAtWork, kill: int) -> None:
    time.sleep(moment(kill))
    vault.kill()


def comes_back(vault: VaultAtWork, *others: int) -> None:
    """It starts, asks keeper about everybody it holds, and whoever had nothing to do with it opens as before."""
    vault.boot()
    vault.settled(STAYS, *others)
    assert vault.opens(face(STAYS)) == STAYS
    assert "Traceback" not in vault.process.stderr


@pytest.mark.parametrize("kill", range(KILLS))
def test_enrolment_that_was_acknowledged_is_there_and_any_other_is_whole_or_absent(
    vault: VaultAtWork, kill: int
) -> None:
    grant = vault.seen(GOES, face(GOES))
    vault.grant(Purpose.ENROL, GOES)
    strikes(vault, kill)
    acknowledged = wire.Done(grant, Result.DONE) in vault.heard(Room.DESK, wire.Done)
    comes_back(vault)
    there = vault.opens(face(GOES)) == GOES
    assert there or not acknowledged
    assert vault.opens(face(STAYS)) == STAYS
    end(vault, GOES)


@pytest.mark.parametrize("kill", range(KILLS))
def test_erasure_that_was_acknowledged_is_final_and_any_other_leaves_the_face_whole(
    vault: VaultAtWork, kill: int
) -> None:
    vault.enrol(GOES, face(GOES))
    grant = vault.grant(Purpose.ERASE, GOES)
    vault.say(Room.DESK, wire.Erase(grant))
    strikes(vault, kill)
    acknowledged = wire.Done(grant, Result.DONE) in vault.heard(Room.DESK, wire.Done)
    comes_back(vault)
    gone = vault.opens(face(GOES)) == wire.NOBODY
    assert gone == (not vault.awake(GOES)), "no half of it is left"
    assert gone or not acknowledged
    end(vault, GOES)


@pytest.mark.parametrize("kill", range(KILLS))
def test_another_sitting_that_was_cut_short_is_joined_or_is_not_and_the_face_that_was_kept_opens(
    vault: VaultAtWork, kill: int
) -> None:
    covered = bool(kill % 2)  # of a bare and of a covered face in turn
    vault.enrol(GOES, face(GOES), covered=covered)
    before = {path.name: path.read_bytes() for path in vault.folder.glob("*.rec")}
    grant = vault.seen(GOES, face(GOES), again=True, covered=covered)
    vault.grant(Purpose.ENROL, GOES)
    strikes(vault, kill)
    acknowledged = wire.Done(grant, Result.DONE) in vault.heard(Room.DESK, wire.Done)
    comes_back(vault, GOES)
    after = {path.name: path.read_bytes() for path in vault.folder.glob("*.rec")}
    assert vault.opens(face(GOES), covered=covered) == GOES
    assert len(after) == len(before), "no leftover of either"
    assert after != before or not acknowledged, "what was acknowledged is there"
    end(vault, GOES)


@pytest.mark.parametrize("kill", range(KILLS))
def test_rekey_that_was_cut_short_leaves_everybody_enrolled(vault: VaultAtWork, kill: int) -> None:
    vault.enrol(GOES, face(GOES))
    vault.say(Room.DESK, wire.Rekey(secrets.token_bytes(16)))
    strikes(vault, kill)
    comes_back(vault, GOES)
    assert vault.opens(face(GOES)) == GOES
    end(vault, GOES)


@pytest.fixture(scope="module")
def strict() -> Iterator[VaultAtWork]:
    """A vault with one face, whose terms each test changes."""
    with vault_at_work() as running:
        running.enrol(GOES, face(GOES))
        yield running


@pytest.mark.parametrize("kill", range(KILLS))
def test_renewal_that_was_cut_short_leaves_the_face_asleep_or_awake_and_another_one_is_taken(
    strict: VaultAtWork, kill: int
) -> None:
    strict.kill()
    write_config(strict.process.root, f"[eye]\nenrol_frames = {FRAMES}\n[vault]\nstrangers_per_day = {6 + kill}\n")
    strict.boot()
    strict.settled(GOES)
    assert not strict.awake(GOES), "there is something to agree to"
    grant = strict.grant(Purpose.RENEW, GOES)
    strict.say(Room.DESK, wire.Renew(grant, strict.terms))
    strikes(strict, kill)
    acknowledged = wire.Done(grant, Result.DONE) in strict.heard(Room.DESK, wire.Done)
    strict.boot()
    strict.settled(GOES)
    renewed = strict.awake(GOES)
    assert renewed or not acknowledged
    assert len(list(strict.folder.glob("*.rec"))) == 1, "the face is kept, and no leftover of it"
    again = strict.grant(Purpose.RENEW, GOES)
    strict.say(Room.DESK, wire.Renew(again, strict.terms))
    strict.until(Room.DESK, wire.Done, grant=again, result=Result.NOTHING_TO_DO if renewed else Result.DONE)
    assert strict.opens(face(GOES)) == GOES
    assert "Traceback" not in strict.process.stderr


@pytest.mark.parametrize("kill", range(KILLS))
def test_face_whose_place_has_ended_opens_nothing_however_its_erasure_was_cut_short(
    vault: VaultAtWork, kill: int
) -> None:
    vault.ends[GOES] = int(time.time()) + 2
    vault.tenancies[GOES] = secrets.token_bytes(16)
    vault.enrol(GOES, face(GOES))
    # The first word of lock after the end makes vault look at its clock, and erase.
    time.sleep(max(0.0, vault.ends[GOES] - time.time()))
    vault.say(Room.LOCK, wire.AskClaim(secrets.token_bytes(16), GOES))
    strikes(vault, kill)
    comes_back(vault)
    assert not vault.awake(GOES)
    assert vault.opens(face(GOES)) == wire.NOBODY
    del vault.ends[GOES], vault.tenancies[GOES]
    assert len(list(vault.folder.glob("*.rec"))) == 1, "erased by itself; who stays, stays"


def end(vault: VaultAtWork, slot: int) -> None:
    """Whatever became of it: `slot` is empty for the next test."""
    grant = vault.grant(Purpose.ERASE, slot)
    vault.say(Room.DESK, wire.Erase(grant))
    vault.until(Room.DESK, wire.Done, grant=grant)
    assert not vault.awake(slot)
    assert len(list(vault.folder.glob("*.rec"))) == 1, "no leftover of an interrupted change"
