"""What lies on the disk: no template in any form a scan finds, and inside the sealed records none as eye made it."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest

from device import wire
from device.sealing import record as sealed_record
from device.sealing.files import DiskFiles
from device.vault.record import Vector
from device.vault.rotation import Rotation
from device.wire import Outcome, Result
from tests.unit.vault.house import House
from tests.unit.vault.values import unit

CANARY = unit(4711)


def disguises(template: Vector) -> dict[str, bytes]:
    """Pieces of a template in every form somebody might have written it in."""
    forms = {
        "float32": template.astype("<f4").tobytes(),
        "float64": template.astype("<f8").tobytes(),
        "float16": template.astype("<f2").tobytes(),
        "int8": np.round(template * 127).astype(np.int8).tobytes(),
    }
    found = {}
    for name, form in forms.items():
        piece = form[48:96]  # a multiple of three, so that base64 of the whole holds base64 of the piece
        found[name] = piece
        found[name + " in hex"] = piece.hex().encode()
        found[name + " in base64"] = base64.b64encode(piece)
    return found


def traces(held: Path | Iterable[bytes], *templates: Vector) -> list[str]:
    """Every disguise of one of `templates` that stands in a file below the folder `held`, or in one of those texts."""
    texts = [path.read_bytes() for path in held.rglob("*") if path.is_file()] if isinstance(held, Path) else list(held)
    assert texts
    pieces = [item for template in templates for item in disguises(template).items()]
    return [name for name, piece in pieces if any(piece in data for data in texts)]


def both_forms(house: House, slot: int) -> tuple[Vector, Vector]:
    """The template of `slot` as it is held, turned, and as eye made it."""
    held = np.frombuffer(house.vault.faces._records[slot].template, dtype="<f4")
    return held, house.template(slot)


def enrolled_on_disk(folder: Path) -> House:
    house = House(DiskFiles(), folder)
    house.connect()
    # Enrolment averages; so the template to look for is the one that vault ended up with.
    assert house.enrol(11, CANARY) is Result.DONE
    return house


def test_no_template_lies_in_the_state_folder(tmp_path: Path) -> None:
    house = enrolled_on_disk(tmp_path / "vault")
    templates = both_forms(house, 11)
    assert traces(tmp_path, *templates) == []
    house.capture(unit(6), slot=12)
    assert house.enrolling
    waiting = np.frombuffer(house.enrolling.template, dtype="<f4").astype(np.float32)
    turned = house.vault.faces._rotation.apply(waiting)
    assert traces(tmp_path, waiting, turned) == [], "not before the PIN was shown again"
    house.confirm(12)
    house.act(wire.Pause, 11)
    house.rekey()
    assert traces(tmp_path, *templates, *both_forms(house, 11), *both_forms(house, 12)) == []
    house.act(wire.Erase, 11)
    assert traces(tmp_path, *templates) == []
    house.close()


def test_probes_and_unfinished_enrolments_write_nothing(tmp_path: Path) -> None:
    house = enrolled_on_disk(tmp_path / "vault")
    before = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "vault").iterdir()}
    assert house.probe(CANARY).outcome is Outcome.ACCEPTED
    assert house.probe(unit(5)).outcome is Outcome.REFUSED
    house.begin(12)
    house.show(unit(6), house.window())
    house.close_window()
    assert house.vault.deadline() is not None, "a face waits for its PIN"
    house.wait(61)
    assert {path.name: path.stat().st_mtime_ns for path in (tmp_path / "vault").iterdir()} == before
    house.close()


# The seeded faults: writers that forget to encrypt.
WRITERS: dict[str, Callable[[bytes], bytes]] = {
    "plain": lambda payload: payload,
    "hex": lambda payload: payload.hex().encode(),
    "base64 of the template": lambda payload: base64.b64encode(payload[-512:]),
}


@pytest.mark.parametrize("writer", WRITERS)
def test_the_scan_finds_a_template_that_was_not_sealed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, writer: str
) -> None:
    monkeypatch.setattr(sealed_record, "seal", lambda payload, _entry, _binding: WRITERS[writer](payload))
    house = enrolled_on_disk(tmp_path / "vault")
    assert traces(tmp_path, *both_forms(house, 11))
    house.close()


# ---- inside the sealing: the turn


def test_no_payload_holds_a_template_as_eye_made_it(tmp_path: Path) -> None:
    house = enrolled_on_disk(tmp_path / "vault")
    payloads = house.vault.faces._store.records().values()
    held, made = both_forms(house, 11)
    assert traces(payloads, held)
    assert traces(payloads, made) == []
    assert abs(float(held @ made)) < 0.5, "nor anything near it"
    house.close()


def test_a_vault_that_does_not_turn_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Rotation, "apply", lambda _self, vector: vector)
    monkeypatch.setattr(Rotation, "undo", lambda _self, vector: vector)
    house = enrolled_on_disk(tmp_path / "vault")
    assert traces(house.vault.faces._store.records().values(), house.template(11))
    house.close()


def test_the_secret_of_the_turn_lies_nowhere_in_the_open(tmp_path: Path) -> None:
    house = enrolled_on_disk(tmp_path / "vault")
    secret = house.vault.faces._store.secret
    assert len(secret) == 32
    files = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    files += house.vault.faces._store.records().values()
    assert not [data for data in files if secret[:16] in data or secret[16:] in data]
    assert secret not in repr(house.vault.faces.gallery()).encode("latin-1", "replace")
    house.close()


def test_two_doors_hold_the_same_face_in_two_directions(tmp_path: Path) -> None:
    one, other = enrolled_on_disk(tmp_path / "one"), enrolled_on_disk(tmp_path / "other")
    (held_here, made_here), (held_there, made_there) = both_forms(one, 11), both_forms(other, 11)
    assert float(made_here @ made_there) == pytest.approx(1.0, abs=1e-6)
    assert abs(float(held_here @ held_there)) < 0.5
    one.close()
    other.close()
