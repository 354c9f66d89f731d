"""Who is awake: kept up to date one slot at a time, and always what the rules say if one works it out from scratch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from device.consent import Terms
from device.sealing.keys import FileKeyStore
from device.sealing.store import SealedStore
from device.vault.awake import Awake
from device.vault.credentials import UNTAKEN, Place
from device.vault.expiry import Expiry
from device.vault.faces import Faces
from device.vault.record import Averaged
from device.vault.rotation import Rotation
from device.wire import NO_END
from tests.unit.sealing.simulated_disk import SimulatedDisk
from tests.unit.vault.values import BINDING, FOLDER, ROOT_KEY, SIGNER, TERMS, TODAY, new_face, tenancy_of, unit

SLOTS = (1, 2, 3)
GRACE_S = 100
TERMS_TRIED = (TERMS, replace(TERMS, purpose="another purpose"))
slots, tenants = st.sampled_from(SLOTS), st.sampled_from((1, 2))


@pytest.fixture(autouse=True, scope="module")
def few_turns() -> Iterator[None]:
    """Four turns for all secrets: one costs more than everything else here, and none says who is awake."""
    turns = [Rotation.of(bytes((at,)) * 32) for at in range(4)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Rotation, "of", lambda secret: turns[secret[0] % 4])
        yield


def store_on(disk: SimulatedDisk) -> SealedStore:
    return SealedStore.open(FOLDER, FileKeyStore(FOLDER / "epoch.key", ROOT_KEY, disk), BINDING, disk)


@dataclass(frozen=True)
class Held:
    """What the model remembers of one face."""

    tenancy: bytes
    terms: Terms
    frames: int
    end: int
    paused: bool = False


class FacesOverTime(RuleBasedStateMachine):
    """Faces beside a model that keeps events apart and works out anew who is awake, each time, from all of them."""

    @initialize()
    def begin(self) -> None:
        self.disk, self.terms = SimulatedDisk(), TERMS
        self.unix_s, self.now_ns = 1000.0, 0
        self.held: dict[int, Held] = {}
        self.start()

    def start(self) -> None:
        self.faces = Faces(store_on(self.disk), self.terms.hash, Expiry(GRACE_S * 10**9))
        self.places: dict[int, Place] = {}
        self.looks: dict[int, list[tuple[int, bool]]] = {}

    # ---- what happens

    @rule(slot=slots, tenant=tenants, frames=st.integers(2, 5), lasts=st.none() | st.integers(-50, 300))
    def enrol(self, slot: int, tenant: int, frames: int, lasts: int | None) -> None:
        if slot in self.held:
            return
        end = NO_END if lasts is None else int(self.unix_s) + lasts
        tenancy = tenancy_of(slot, tenant)
        self.faces.enrol(slot, new_face(unit(slot), frames, tenancy, end))
        self.held[slot], self.looks[slot] = Held(tenancy, self.terms, frames, end), []
        if lasts is not None:
            self.look()

    @rule(slot=slots, paused=st.booleans())
    def pause(self, slot: int, paused: bool) -> None:
        changes = slot in self.held and self.held[slot].paused != paused
        assert self.faces.pause(slot, paused=paused) is changes
        if changes:
            self.held[slot] = replace(self.held[slot], paused=paused)

    @rule(slot=slots)
    def erase(self, slot: int) -> None:
        assert (self.faces.erase(slot) is not None) is (slot in self.held)
        self.held.pop(slot, None)

    @rule(slot=slots)
    def renew(self, slot: int) -> None:
        changes = slot in self.held and self.held[slot].terms != self.terms
        assert self.faces.renew(slot, SIGNER.consent(TODAY, under_14=False)) is changes
        if changes:
            self.held[slot] = replace(self.held[slot], terms=self.terms)

    @rule(slot=slots, tenant=st.none() | tenants)
    def keeper_says(self, slot: int, tenant: int | None) -> None:
        place = UNTAKEN if tenant is None else Place(tenancy_of(slot, tenant))
        self.faces.credential(slot, place)
        self.places[slot] = place
        if slot in self.held and place.taken and place.tenancy != self.held[slot].tenancy:
            del self.held[slot]

    @rule(passes_s=st.integers(0, 150), jumps_s=st.sampled_from((0, 0, 0, 400, -400)))
    def time_passes(self, passes_s: int, jumps_s: int) -> None:
        self.now_ns += passes_s * 10**9
        self.unix_s += passes_s + jumps_s
        self.look()

    @rule()
    def rekey(self) -> None:
        self.faces.rekey()

    @rule(terms=st.sampled_from(TERMS_TRIED))
    def restart(self, terms: Terms) -> None:
        self.terms = terms
        self.start()
        self.look()

    def look(self) -> None:
        self.faces.expire(self.unix_s, self.now_ns)
        for slot, face in list(self.held.items()):
            ended = face.end != NO_END and self.unix_s >= face.end
            history = self.looks.setdefault(slot, [])
            history.append((self.now_ns, ended))
            running = [at for at, _ in history if all(then for later, then in history if later >= at)]
            if running and self.now_ns - running[0] >= GRACE_S * 10**9:
                del self.held[slot]

    # ---- what must hold

    def awake(self) -> dict[int, int]:
        """The rules, from scratch: slot and pictures of everybody who may be compared."""
        return {
            slot: face.frames
            for slot, face in self.held.items()
            if not face.paused
            and face.terms == self.terms
            and not (self.looks.get(slot) and self.looks[slot][-1][1])
            and self.places.get(slot, UNTAKEN).tenancy == face.tenancy
        }

    @invariant()
    def exactly_they_are_awake_and_in_the_gallery(self) -> None:
        awake = self.awake()
        assert set(self.faces.slots()) == set(self.held)
        assert set(self.faces.awake.slots) == set(awake)
        assert len(self.faces.awake) == len(awake)
        kinds = {Averaged(frames, frames) for frames in awake.values()}
        assert set(self.faces.awake.kinds) == set(self.faces.kinds()) == kinds
        assert self.faces.kinds(covered=True) == ()
        gallery = self.faces.gallery()
        assert set(gallery.slots) == set(awake)
        assert set(gallery.kinds) == kinds
        assert [gallery.kinds[at].pictures for at in gallery.kind_of] == [awake[slot] for slot in gallery.slots]
        for slot in SLOTS:
            assert (slot in self.faces.awake) is (slot in awake)
            assert self.faces.only(slot).slots == ((slot,) if slot in awake else ())
            assert self.faces.only(slot).kinds == ((Averaged(awake[slot], awake[slot]),) if slot in awake else ())
            assert gallery.compare(unit(slot), *[0.9] * len(kinds)) == (slot if slot in awake else None)
        assert self.faces.outdated == sum(face.terms != self.terms for face in self.held.values())


FEW = settings(
    max_examples=50,
    stateful_step_count=25,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
TestWhoIsAwake = FacesOverTime.TestCase
TestWhoIsAwake.settings = FEW


# ---- seeded faults


def ignores_the_pause(self: Faces, slot: int, *, anew: bool = False) -> None:
    face = self._records.get(slot)
    if face and face.paused:
        self._records[slot] = replace(face, paused=False)
    _note(self, slot, anew=anew)
    if face:
        self._records[slot] = face


def ignores_the_tenancy(self: Faces, slot: int, *, anew: bool = False) -> None:
    face, place = self._records.get(slot), self._places.get(slot)
    if face and place and place.taken:
        self._places[slot] = replace(place, tenancy=face.tenancy)
    _note(self, slot, anew=anew)


def ignores_the_terms(self: Faces, slot: int, *, anew: bool = False) -> None:
    agreed = self._agreed
    self._agreed = set(self._records)
    _note(self, slot, anew=anew)
    self._agreed = agreed


def forgets_to_note_once(self: Faces, slot: int, *, anew: bool = False) -> None:
    if anew or slot not in self.awake:
        _note(self, slot, anew=anew)


def keeps_the_old_gallery(self: Faces, slot: int, *, anew: bool = False) -> None:
    galleries = dict(self._galleries._made)
    _note(self, slot, anew=anew)
    self._galleries._made = galleries


_note = Faces._note
FAULTS = [ignores_the_pause, ignores_the_tenancy, ignores_the_terms, forgets_to_note_once, keeps_the_old_gallery]


def a_story() -> None:
    """One way through the machine, short enough to be told: everything that can put a face to sleep, and back."""
    told = FacesOverTime()
    told.begin()
    other = TERMS_TRIED[1]
    steps: list[Callable[[], object]] = [
        lambda: told.keeper_says(1, 1),
        lambda: told.enrol(1, 1, 3, None),
        lambda: told.enrol(2, 1, 5, 50),
        lambda: told.keeper_says(2, 1),
        lambda: told.pause(1, paused=True),
        told.rekey,
        lambda: told.pause(1, paused=False),
        lambda: told.keeper_says(3, 2),
        lambda: told.enrol(3, 1, 4, None),
        lambda: told.time_passes(60, 0),
        lambda: told.time_passes(10, -400),
        lambda: told.restart(other),
        *(lambda slot=slot: told.keeper_says(slot, 1) for slot in SLOTS),
        lambda: told.renew(1),
        lambda: told.keeper_says(1, None),
        lambda: told.keeper_says(1, 1),
        lambda: told.keeper_says(1, 2),
        lambda: told.time_passes(500, 0),
        lambda: told.erase(2),
        lambda: told.enrol(2, 1, 5, None),
    ]
    told.exactly_they_are_awake_and_in_the_gallery()
    for step in steps:
        step()
        told.exactly_they_are_awake_and_in_the_gallery()


def test_the_story_is_told_right() -> None:
    a_story()


@pytest.mark.parametrize("fault", FAULTS)
def test_a_way_of_keeping_count_that_breaks_a_rule_is_seen(
    monkeypatch: pytest.MonkeyPatch, fault: Callable[..., None]
) -> None:
    monkeypatch.setattr(Faces, "_note", fault)
    with pytest.raises(AssertionError):
        a_story()


def test_a_vault_that_takes_no_notice_of_the_end_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Expiry, "__contains__", lambda _self, _slot: False)
    with pytest.raises(AssertionError):
        a_story()


# ---- the count itself


def test_the_kinds_are_those_of_who_is_awake_and_nobody_else_s() -> None:
    awake, five, nine, three = Awake(), Averaged(5, 2), Averaged(9, 3), Averaged(3, 3)
    assert (len(awake), awake.kinds) == (0, ())
    assert awake.note(1, five)
    assert awake.note(2, nine)
    assert not awake.note(2, nine), "no news"
    assert (awake.kinds, awake.slots, awake.averaged(2)) == ((five, nine), (1, 2), nine)
    assert awake.note(2, None)
    assert not awake.note(2, None)
    assert (awake.kinds, awake.slots, 2 in awake, awake.averaged(2)) == ((five,), (1,), False, None)
    assert awake.note(1, three)
    assert (awake.kinds, awake.count(three), awake.count(five)) == ((three,), 1, 0)
    assert "1" not in repr(awake).replace("Awake()", ""), "a repr names no slot"
