"""docs/formats.md against the code: what lies on the disk, down to a whole vault that opens by the page alone."""

from __future__ import annotations

import base64
import hashlib
import math
import re
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from nacl.exceptions import CryptoError
from nacl.secret import Aead
from nacl.signing import VerifyKey
from numpy.typing import NDArray

from device import attestation, wire
from device.attestation import ConsentRecord
from device.errors import RecordRefused
from device.keeper import attempts, changes, offers, pages, pin
from device.keeper import record as pin_record
from device.keeper.match import By
from device.keeper.throttle import Counts
from device.sealing import box, keys, record, ring, tpm_index
from device.sealing.binding import Binding
from device.sealing.store import SealedStore
from device.sealing.tpm_index import Index
from device.vault import record as face_record
from device.vault import rotation
from device.vault.rotation import Rotation, gaussians, orthogonal
from device.vault.signing import signing_key
from tests.unit import formats_page
from tests.unit.formats_page import (
    DOOR,
    PAGE,
    count,
    layout,
    of_struct,
    personal,
    section,
    tables,
    terms_of_the_page,
    vectors,
)
from tests.unit.shared.strategies import places

Doubles = NDArray[np.float64]

# ---- sealed files


ENTRY = ring.Entry(12, 3, count(0, 16), count(0, 32))
PINS = Binding(DOOR, "pin")
VERIFIERS = pin.Verifiers.of_door(count(0x40, 32))
STRETCHED = pin.stretcher()("482913", count(0, 16))
CREDENTIAL = pin_record.Credential(
    kind=pin_record.Kind.PIN,
    serial=1,
    offer_id=count(0, 16),
    kept_unix=1_900_000_000,
    expires_unix=2_000_000_000,
    ends_unix=2_100_000_000,
    salt=count(0, 16),
    verifier=count(0, 32),
    duress=count(0x20, 32),
    duress_box=bytes(
        Aead(VERIFIERS.box_key(12, STRETCHED)).encrypt(
            b"739105".ljust(16, b"\0"), (12).to_bytes(4, "little"), count(0, 24)
        )
    ),
    guest_key=count(0x40, 32),
    guest_used=0b101,
    former_salt=count(0x60, 16),
    former=count(0x80, 32),
)


def resealed(stored: bytes, key: bytes, plaintext: bytes, aad: bytes) -> bytes:
    """What the code must have made, with the random nonce that stands in `stored`: header, nonce, ciphertext, tag."""
    return stored[:8] + bytes(Aead(key).encrypt(plaintext, aad, stored[8:32]))


def test_the_box_is_as_large_as_the_page_says() -> None:
    assert box.OVERHEAD_BYTES == 24 + 16
    assert "nonce (24 random bytes), ciphertext (as long as the plaintext), tag (16)" in " ".join(PAGE.split())


def test_the_epoch_key_of_the_page_opens() -> None:
    text = section("Epoch key, 80 bytes")
    (rows,), (stated,) = tables(text), vectors(text)
    assert layout(rows) == [(0, 4), (4, 1), (5, 3), (8, 72)]
    assert len(stated) == 80
    assert stated[:8] == keys._HEADER == b"DWEK\x01\0\0\0"
    assert box.unseal(count(0x40, 32), stated[8:], stated[:8]) == count(0x20, 32)


def test_the_epoch_key_in_a_tpm_is_sealed_as_the_page_says() -> None:
    text = " ".join(section("Epoch key in a TPM, 80 bytes").split())
    assert [f"{index:#010X}".replace("X", "x") in text for index in Index] == [True, True]
    root, epoch = count(0x40, 32), count(0x20, 32)
    for index in Index:
        handle = index.to_bytes(4, "big")
        stored = tpm_index.seal(root, index, epoch)
        assert len(stored) == 80
        assert stored[:8] == b"DWNV\x01\0\0\0"
        key = personal(handle, 32, b"doorward nv seal", root)
        assert box.unseal(key, stored[8:], stored[:8] + handle) == epoch
        allowed = personal(handle, 24, b"doorward nv auth", root)
        assert tpm_index.auth_value(root, index) == base64.urlsafe_b64encode(allowed)
    assert "`doorward nv seal`" in text
    assert "`doorward nv auth`" in text


def test_the_keys_of_an_index_are_those_of_the_page() -> None:
    text = section("Epoch key in a TPM, 80 bytes")
    (outer, rows), (stated,) = tables(text), vectors(text)
    assert layout(outer) == [(0, 4), (4, 1), (5, 3), (8, 72)]
    root = count(0x40, 32)
    said: dict[str, str] = {}
    for room, index, key in (
        ("vault", Index.VAULT, root),
        ("keeper", Index.KEEPER, pin.derive(root, b"doorward ring")),
    ):
        said[f"{room}: key of the box"] = tpm_index._seal_key(key, index).hex()
        said[f"{room}: authorisation"] = tpm_index.auth_value(key, index).decode()
    assert {row["what"]: row["is"] for row in rows} == said
    assert stated[8:32] == count(0, 24)
    assert tpm_index.unseal(root, Index.VAULT, stated) == count(0x20, 32)


def test_the_ring_of_the_page_opens_and_has_its_layout() -> None:
    text = section("Ring")
    (outer, head, entry), (stated,) = tables(text), vectors(text)
    assert layout(outer) == [(0, 4), (4, 1), (5, 1), (6, 2)]
    assert layout(head) == of_struct(ring._HEAD.format)
    assert layout(entry) == of_struct(ring._ENTRY.format)
    assert stated[:8] == b"DWRG\x02\x02\0\0"
    held = ring.Ring(3, count(0x60, 32), (ENTRY,))
    assert ring.unseal(stated, count(0x20, 32), PINS) == held
    assert resealed(stated, count(0x20, 32), ring.pack(held), stated[:8] + DOOR) == stated
    assert box.unseal(count(0x20, 32), stated[8:], stated[:8] + DOOR), "by nothing but the page"


def test_a_change_keeps_and_renews_what_the_page_says(tmp_path: Path) -> None:
    (rows,) = tables(section("Sealed files"))
    assert [row["change"] for row in rows] == ["put", "remove", "rekey"]
    store = SealedStore.open(tmp_path / "vault", keys.FileKeyStore(tmp_path / "epoch.key", count(0x40, 32)), PINS)
    before, names = store._ring, {path.name for path in (tmp_path / "vault").iterdir()}
    assert (before.generation, before.entries, names) == (0, (), {"ring.a"})
    for slot in (12, 40):
        store.put(slot, b"payload", count(slot, 32))
    two = store._ring
    store.put(40, b"another", count(0, 32))
    put = store._ring
    assert (put.generation, put.secret, put.find(12)) == (3, before.secret, two.find(12))
    one, other = two.find(40), put.find(40)
    assert one is not None
    assert other is not None
    assert (other.generation, other.consent) == (3, count(0, 32))
    assert one.file_id != other.file_id
    assert one.key != other.key
    gone = tmp_path / "vault" / one.file_name
    assert not gone.exists()
    assert (tmp_path / "vault" / "ring.b").exists()
    store.remove(12)
    removed = store._ring
    assert (removed.generation, removed.secret, removed.entries) == (4, before.secret, (other,))
    store.put(12, b"payload")
    path = tmp_path / "vault" / other.file_name
    path.unlink()
    store = SealedStore.open(tmp_path / "vault", keys.FileKeyStore(tmp_path / "epoch.key", count(0x40, 32)), PINS)
    assert (len(store.refused), store.records()) == (1, {12: b"payload"}), "the one that is missing, alone"
    readable = store._ring.find(12)
    store.rekey(lambda payload, _old, _new: payload)
    renewed = store._ring.find(12)
    assert store.secret != before.secret
    assert store._ring.find(40) == other, "what does not open stays as it is"
    assert readable is not None
    assert renewed is not None
    assert (renewed.generation, renewed.consent) == (6, readable.consent)
    assert renewed.file_id != readable.file_id
    assert renewed.key != readable.key


@pytest.mark.parametrize("name", ["ring.a", "ring.b"])
def test_a_ring_is_not_bound_to_its_name(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "vault"
    folder.mkdir(mode=0o700)
    key_store = keys.FileKeyStore(tmp_path / "epoch.key", count(0x40, 32))
    key_store.replace(count(0x20, 32))
    (folder / name).write_bytes(vectors(section("Ring"))[0])
    (folder / ENTRY.file_name).write_bytes(vectors(section("Record"))[0])
    store = SealedStore.open(folder, key_store, PINS)
    assert list(store.records()) == [12]


def test_the_record_of_the_page_opens_and_is_bound_as_it_says() -> None:
    text = section("Record")
    (outer, bound), (stated,) = tables(text), vectors(text)
    assert layout(outer) == [(0, 4), (4, 1), (5, 1), (6, 2)]
    assert layout(bound) == of_struct(record._AAD.format)
    assert record._AAD.size == 112
    assert stated[:8] == b"DWRC\x02\x02\0\0"
    (payload,) = vectors(section("Payload of a PIN or an invitation"))
    assert record.unseal(stated, ENTRY, PINS) == payload
    written_anew = b"".join(
        (stated[:8], DOOR, (12).to_bytes(4, "little"), bytes(4), (3).to_bytes(8, "little"), count(0, 16), bytes(64))
    )
    assert resealed(stated, count(0, 32), payload, written_anew) == stated
    assert box.unseal(count(0, 32), stated[8:], written_anew[:-1] + b"\1") is None


def test_the_face_payload_has_the_layout_of_the_page() -> None:
    text = section("Payload of a face, 844 bytes")
    (rows, _), (stated,) = tables(text), vectors(text)
    assert layout(rows) == of_struct(face_record._FORM.format)
    assert face_record.RECORD_BYTES == 844
    (consent,) = vectors(section("Consent record"))
    face = face_record.FaceRecord(
        template=struct.pack("<f", 1.0).ljust(512, b"\0"),
        rotation=count(0, 8),
        frames=10,
        consent=consent,
        tenancy=count(0, 16),
        enrolled_day=20_000,
        ends_unix=2_100_000_000,
        under_14=True,
        paused=True,
        worth=3,
        length=0xE000,
        sittings=2,
    )
    assert stated == face_record.pack(face)[:340]
    assert face_record.parse(stated.ljust(844, b"\0")) == face
    plain = replace(face, under_14=False, paused=False, sittings=1)
    each = (plain, replace(plain, paused=True), face, replace(face, sittings=3))
    assert [face_record.pack(one)[1] for one in each] == [0, 1, 11, 19]


@pytest.mark.parametrize(
    ("length", "taken"), [(0.9985, False), (0.9991, True), (1.0, True), (1.0009, True), (1.0015, False)]
)
def test_a_template_may_be_as_long_as_the_page_says(length: float, taken: bool) -> None:
    assert f"within {face_record._NORM_TOLERANCE:g} of 1" in " ".join(section("Payload of a face").split())
    assert (face_record.unit_vector(struct.pack("<f", length).ljust(512, b"\0")) is not None) == taken


@pytest.mark.parametrize("kind", [1, 2])
def test_zeros_are_a_salt_and_a_verifier_like_any_other(kind: int) -> None:
    (stated,) = vectors(section("Payload of a PIN or an invitation, 310 bytes"))
    assert not any(pin_record.unpack(stated[:1] + bytes((kind,)) + stated[2:46] + bytes(264)).verifier)


@pytest.mark.parametrize(("kind", "begins", "ends"), [(1, 94, 278), (3, 46, 310)])
def test_what_the_page_calls_zeros_is_refused_if_it_is_none(kind: int, begins: int, ends: int) -> None:
    (stated,) = vectors(section("Payload of a PIN or an invitation, 310 bytes"))
    bare = stated[:1] + bytes((kind,)) + stated[2:begins] + bytes(310 - begins)
    assert pin_record.unpack(bare).kind == kind
    for at in range(begins, ends):  # an invitation may have a `former`, and no former_salt without it
        with pytest.raises(RecordRefused):
            pin_record.unpack(bare[:at] + b"\1" + bare[at + 1 :])


def test_the_box_of_the_page_holds_the_digits_of_the_duress_pin() -> None:
    opened = changes._open(12, changes.Proven(CREDENTIAL, By.RIGHT, STRETCHED), VERIFIERS)
    assert opened == "739105"
    assert "the duress PIN `739105`" in " ".join(section("Payload of a PIN or an invitation").split())


def test_the_pin_payload_has_the_layout_of_the_page() -> None:
    text = section("Payload of a PIN or an invitation, 310 bytes")
    (rows,), (stated,) = tables(text), vectors(text)
    fields_of_page = [(row["field"], int(row["offset"]), int(row["size"])) for row in rows]
    written = [(place.name, place.offset + 1, place.size) for place in places(pin_record.Credential)]
    assert fields_of_page == [("version", 0, 1), *written]
    assert pin_record.PAYLOAD_BYTES == 310
    assert stated == pin_record.pack(CREDENTIAL)
    assert pin_record.unpack(stated) == CREDENTIAL
    kinds = ", ".join(f"{kind.value} {name}" for kind, name in zip(pin_record.Kind, WORDS_OF_KINDS, strict=True))
    assert kinds in rows[1]["meaning"]
    ended = pin_record.pack(CREDENTIAL.ended())
    assert (ended[1], any(ended[46:])) == (3, False)


PURPOSES = ("doorward pepper", "doorward ring", "doorward tries", "doorward counts", "doorward cards")
WORDS_OF_KINDS = ("invitation", "PIN", "ended")


def test_the_hashes_are_made_as_the_page_says() -> None:
    """Written anew with hashlib instead of libsodium."""
    root, stretched = count(0x40, 32), count(0x80, 32)
    for purpose in PURPOSES:
        assert f"`{purpose}`" in PAGE
        assert pin.derive(root, purpose.encode()) == personal(b"", 32, purpose.encode(), root)
    pepper = pin.derive(root, b"doorward pepper")
    verifier = personal((12).to_bytes(4, "little") + stretched, 32, b"doorward pin v1", pepper)
    assert pin.Verifiers.of_door(root).verifier(12, stretched) == verifier
    beside = personal((12).to_bytes(4, "little") + stretched, 32, b"doorward beside", pepper)
    assert pin.Verifiers.of_door(root).box_key(12, stretched) == beside
    offer = wire.SlotOffer(12, 1, 2_000_000_000, 2_100_000_000, 3, count(0, 16), count(0, 32))
    assert offers.offer_id(offer) == personal(wire.pack(offer), 16, b"doorward offer")
    assert (pin.PRODUCTION.passes, pin.PRODUCTION.memory_bytes) == (2, 64 << 20)


def test_keepers_keys_and_what_is_made_with_them_are_those_of_the_page() -> None:
    (rows,) = tables(section("Keeper's keys"))
    said = {row["what"]: row["is"] for row in rows}
    root = count(0x40, 32)
    stretched = pin.stretcher()("482913", count(0, 16))
    offer = wire.SlotOffer(12, 1, 2_000_000_000, 2_100_000_000, 3, count(0, 16), count(0, 32))
    assert said == {
        **{use: pin.derive(root, use.encode()).hex() for use in PURPOSES},
        "Argon2id of the digits": stretched.hex(),
        "verifier": pin.Verifiers.of_door(root).verifier(12, stretched).hex(),
        "offer_id": offers.offer_id(offer).hex(),
    }


INSIDE_BYTES = attempts.PAGE_BYTES - pages.OVERHEAD_BYTES + 8  # the sequence is inside the box


def opened(page: bytes, place: int, key: bytes) -> tuple[int, Counts] | None:
    """What keeper makes of a page of counts at `place`."""
    return pages.TwinPages(Path("/nowhere"), key, attempts.FORM)._opened(page, place)


def test_the_whole_page_of_counts_is_the_one_of_the_page() -> None:
    text = section("Wrong attempts")
    (begins,), said = vectors(text), {row["what"]: row["is"] for row in tables(text)[-1]}
    key, bound = pin.derive(count(0x40, 32), b"doorward tries"), b"DWAT\x02\x01\0\0"
    inside = begins.ljust(INSIDE_BYTES, b"\0")
    page = bound + bytes(Aead(key).encrypt(inside, bound, count(0, 24)))
    assert opened(page, 1, key) == (9, Counts(2, {12: 1, 40: 5}))
    assert opened(page, 0, key) is None
    assert said == {
        "first 64 bytes": page[:64].hex(),
        "last 16 bytes": page[-16:].hex(),
        f"sha256 of all {attempts.PAGE_BYTES}": hashlib.sha256(page).hexdigest(),
    }


def test_a_new_door_counts_from_the_page_that_is_stated(tmp_path: Path) -> None:
    key = count(0, 32)
    file = attempts.AttemptFile(tmp_path / "attempts", key)
    file.load(())
    first = (tmp_path / "attempts").read_bytes()
    file.save(Counts(1, {12: 1}))
    file.close()
    assert len(first) == 32768
    assert opened(first[:16384], 0, key) == (0, Counts(0, {}))
    assert not any(first[16384:])
    longer = (tmp_path / "attempts").read_bytes() + b"more"
    assert opened(longer[16384:32768], 1, key) == (1, Counts(1, {12: 1}))
    (tmp_path / "attempts").write_bytes(longer)
    again = attempts.AttemptFile(tmp_path / "attempts", key)
    assert again.load((12,)) == Counts(1, {12: 1})
    again.close()


def test_the_counts_of_the_page_are_read_and_written() -> None:
    text = section("Wrong attempts")
    (outer, head, slot, _), (begins,) = tables(text), vectors(text)
    assert f"0 to {attempts._ROOM}" in head[2]["meaning"]
    assert layout(outer) == [(0, 4), (4, 1), (5, 1), (6, 2), (8, attempts.PAGE_BYTES - 8)]
    assert layout(head) == of_struct(pages._SEQUENCE.format + attempts._HEAD.format[1:])
    assert layout(slot) == of_struct(attempts._SLOT.format)
    key, bound, counts = count(0, 32), b"DWAT\x02\x01\0\0", Counts(2, {12: 1, 40: 5})
    inside = begins.ljust(INSIDE_BYTES, b"\0")
    assert opened(bound + box.seal(key, inside, bound), 1, key) == (9, counts)
    page = pages.TwinPages(Path("/nowhere"), key, attempts.FORM)._sealed(9, counts)
    assert len(page) == attempts.PAGE_BYTES
    assert page[:8] == bound
    assert box.unseal(key, page[8:], bound) == inside
    assert f"Two pages of {attempts.PAGE_BYTES} bytes" in text
    assert f"Inside the box, {INSIDE_BYTES} bytes" in text


# ---- the rotation


def normals_of_the_page(secret: bytes) -> list[float]:
    """Steps 1 to 3 of the page, in plain Python."""
    stream = hashlib.shake_256(b"doorward/template-rotation/matrix/1" + secret).digest(131072)
    uniform = [(word // 2048 + 1) / 2.0**53 for (word,) in struct.iter_unpack("<Q", stream)]
    pairs = list(zip(uniform[:8192], uniform[8192:], strict=True))
    return [math.sqrt(-2 * math.log(u)) * math.cos(2 * math.pi * v) for u, v in pairs] + [
        math.sqrt(-2 * math.log(u)) * math.sin(2 * math.pi * v) for u, v in pairs
    ]


def matrix_of_the_page(secret: bytes) -> Doubles:
    """Steps 4 and 5, by Gram and Schmidt (twice over, against rounding) and with nothing of the code."""
    columns = np.array(normals_of_the_page(secret)).reshape(128, 128).T
    found = np.zeros((128, 128))
    for at, column in enumerate(columns):
        left = column
        for _ in range(2):
            left = left - found[:at].T @ (found[:at] @ left)
        found[at] = left / np.sqrt(left @ left)
    return found.T


X = (np.arange(1, 129) / math.sqrt(707264)).astype(np.float32)


def test_the_rotation_is_made_as_the_page_says() -> None:
    secret = count(0, 32)
    matrix = matrix_of_the_page(secret)
    made = Rotation.of(secret)
    assert np.abs(matrix - orthogonal(gaussians(secret))).max() < 1e-9
    assert np.abs(made.apply(X) - matrix @ X).max() < 1e-7
    assert np.abs(made.undo(X) - matrix.T @ X).max() < 1e-7
    assert made.tag == hashlib.shake_256(b"doorward/template-rotation/tag/1///" + secret).digest(8)
    meant = count(32, 32)
    named = hashlib.shake_256(b"doorward/template-rotation/mean/1//" + made.tag + meant).digest(8)
    assert made.tag_of(meant) == named != made.tag == made.tag_of(b"")
    for domain in (rotation._MATRIX_DOMAIN, rotation._TAG_DOMAIN, rotation._MEANING_DOMAIN):
        assert len(domain) == 35
        assert f"`{domain.decode()}`" in section("Rotation")


def test_the_numbers_of_the_rotation_are_those_of_the_page() -> None:
    secret = count(0, 32)
    normal = np.array(normals_of_the_page(secret)).reshape(128, 128)
    ours, turned = orthogonal(gaussians(secret)), Rotation.of(secret).apply(X)
    (rows,) = tables(section("Rotation"))
    stated = {row["what"]: row["is"].replace("\N{MINUS SIGN}", "-") for row in rows}
    assert stated.pop("tag") == Rotation.of(secret).tag.hex()
    assert stated.pop("first 16 bytes drawn") == (
        hashlib.shake_256(b"doorward/template-rotation/matrix/1" + secret).hexdigest(16)
    )
    for what, number in stated.items():
        where = [int(digits) for digits in re.findall(r"\d+", what)]
        if what.startswith("x turned"):
            assert float(number) == pytest.approx(turned[where[0] - 1], abs=1e-7)
            continue
        of = {"N": (normal, gaussians(secret)), "Q": (ours, matrix_of_the_page(secret))}[what[0]]
        for matrix in of:
            assert float(number) == pytest.approx(matrix[where[0], where[1]], abs=2e-12)
    assert len(stated) == 17


# ---- a whole vault


def vault_of_the_page() -> tuple[dict[str, bytes], dict[str, str]]:
    """The files by name; and what a reader starts from and must find, as the tables say it."""
    text = section("A whole vault, to try a reader on")
    named = re.findall(r"`([^`\n]+)`, (\d+) bytes:\n\n```text\n([0-9a-f\n]+)```", text)
    files = {name: bytes.fromhex("".join(digits.split())) for name, _, digits in named}
    assert [len(files[name]) for name, _, _ in named] == [int(size) for _, size, _ in named]
    return files, {row["what"]: row["is"] for rows in tables(text) for row in rows}


def test_the_vault_of_the_page_is_opened_by_the_door(tmp_path: Path) -> None:
    files, said = vault_of_the_page()
    tmp_path.chmod(0o700)
    for name, contents in files.items():
        (tmp_path / name).write_bytes(contents)
    model, door, root = (bytes.fromhex(said[name]) for name in ("model", "door", "root key"))
    key_store = keys.FileKeyStore(tmp_path / "epoch.key", root)
    store = SealedStore.open(tmp_path, key_store, Binding(door, "face", model))
    assert store.refused == ()
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == files, "nothing of it is a leftover"
    slot = int(said["slot"])
    assert list(store.records()) == [slot]
    face = face_record.parse(store.records()[slot])
    paper = attestation.verify(face.consent)
    assert isinstance(paper.paper, ConsentRecord)
    turned = np.frombuffer(face.template, "<f4")
    yes = {True: "yes", False: "no"}
    assert key_store.load() == bytes.fromhex(said["epoch key"])
    assert {
        "generation of the ring": str(store._ring.generation),
        "secret": store.secret.hex(),
        "generation of the record": str(store._ring.entries[0].generation),
        "key of the record": store._ring.entries[0].key.hex(),
        "consent in the ring": store.consent(slot).hex(),
        "paused, under 14": f"{yes[face.paused]}, {yes[face.under_14]}",
        "frames": str(face.frames),
        "enrolled_day": str(face.enrolled_day),
        "rotation": face.rotation.hex(),
        "tenancy": face.tenancy.hex(),
        "ends_unix": str(face.ends_unix),
        "consent record: door key": paper.door_key.hex(),
        "consent record: consent id": paper.paper.consent_id.hex(),
        "consent record: day, under 14": f"{paper.paper.day}, {yes[paper.paper.under_14]}",
        "template as stored, numbers 1, 2, 3": ", ".join(f"{number:.7f}" for number in turned[:3]).replace(
            "-", "\N{MINUS SIGN}"
        ),
    }.items() <= said.items()
    assert Rotation.of(store.secret).tag == face.rotation
    assert np.abs(Rotation.of(store.secret).undo(turned) - X).max() < 1e-7
    assert paper.door_key == bytes(signing_key(root).verify_key)
    assert paper.paper.door == door
    assert paper.paper.terms_hash == store.consent(slot) == terms_of_the_page(model).hash


def opened_by_the_page(files: dict[str, bytes], said: dict[str, str]) -> tuple[int, bytes, bytes]:
    """A reader of its own: slot, secret and payload of the one record, from the offsets of the page alone."""
    root, door, model = (bytes.fromhex(said[name]) for name in ("root key", "door", "model"))

    def box_of(key: bytes, stored: bytes, bound: bytes) -> bytes:
        return bytes(Aead(key).decrypt(stored, bound))

    epoch = box_of(root, files["epoch.key"][8:], files["epoch.key"][:8])
    inside = box_of(epoch, files["ring.b"][8:], files["ring.b"][:8] + door)
    count_of_records, secret, entry = inside[8:12], inside[16:48], inside[48:140]
    assert (count_of_records, len(inside)) == (b"\1\0\0\0", 140)
    slot, generation, file_id, key, bound_to = entry[:4], entry[4:12], entry[12:28], entry[28:60], entry[60:92]
    stored = files[file_id.hex() + ".rec"]
    bound = stored[:8] + door + slot + bytes(4) + generation + file_id + model + bound_to
    return int.from_bytes(slot, "little"), secret, box_of(key, stored[8:], bound)


def test_the_vault_of_the_page_is_opened_by_the_page() -> None:
    files, said = vault_of_the_page()
    slot, secret, payload = opened_by_the_page(files, said)
    assert (str(slot), secret.hex()) == (said["slot"], said["secret"])
    assert len(payload) == 844
    assert (payload[0], payload[8:16].hex(), payload[16:32].hex()) == (2, said["rotation"], said["tenancy"])
    back = matrix_of_the_page(secret).T @ np.frombuffer(payload[332:], "<f4")
    assert np.abs(back - X).max() < 1e-7
    signed = payload[40:330]
    VerifyKey(signed[194:226]).verify(b"doorward consent record\0" + signed[:226], signed[226:])
    for name in files:
        with pytest.raises(CryptoError):
            opened_by_the_page({**files, name: files[name][:-1] + bytes((files[name][-1] ^ 1,))}, said)


def test_the_vault_of_the_page_opens_at_no_other_door() -> None:
    files, said = vault_of_the_page()
    for name in ("root key", "door", "model"):
        with pytest.raises(CryptoError):
            opened_by_the_page(files, {**said, name: "00" * (len(said[name]) // 2)})


# ---- the check itself


@pytest.mark.parametrize(
    ("spoil", "check"),
    [
        (lambda page: page.replace("| 60 | 32 | consent |", "| 60 | 16 | consent |"), "ring"),
        (lambda page: page.replace("| 16 | 32 | secret |", "| 12 | 32 | secret |"), "ring"),
        (lambda page: page.replace("445752470202", "445752470203"), "ring"),
        (lambda page: page.replace("| 332 | 512 | template |", "| 330 | 512 | template |"), "face"),
        (lambda page: page.replace("| 38 | 8 | ends_unix |", "| 38 | 8 | expires_unix |"), "pin"),
        (lambda page: page.replace("| Q, row 0, column 0 | 0.0999", "| Q, row 0, column 0 | 0.0998"), "rotation"),
        (lambda page: page.replace("| slot | 307 |", "| slot | 308 |"), "vault"),
        (lambda page: page.replace("| secret | 8827", "| secret | 8828"), "vault"),
        (lambda page: page.replace("| vault: authorisation | c", "| vault: authorisation | d"), "index"),
        (lambda page: page.replace("| doorward tries | b6", "| doorward tries | b7"), "keeper"),
        (lambda page: page.replace("| 933dffcb", "| 943dffcb"), "counts"),
    ],
    ids=[
        "a size",
        "an offset",
        "a byte",
        "an offset of a face",
        "a name",
        "a number",
        "a slot",
        "a secret",
        "an authorisation",
        "a key",
        "a sum",
    ],
)
def test_a_page_that_drifted_is_noticed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, spoil: Callable[[str], str], check: str
) -> None:
    spoiled = spoil(PAGE)
    assert spoiled != PAGE
    monkeypatch.setattr(formats_page, "PAGE", spoiled)
    checks: dict[str, Callable[[], None]] = {
        "ring": test_the_ring_of_the_page_opens_and_has_its_layout,
        "face": test_the_face_payload_has_the_layout_of_the_page,
        "pin": test_the_pin_payload_has_the_layout_of_the_page,
        "rotation": test_the_numbers_of_the_rotation_are_those_of_the_page,
        "vault": lambda: test_the_vault_of_the_page_is_opened_by_the_door(tmp_path),
        "index": test_the_keys_of_an_index_are_those_of_the_page,
        "keeper": test_keepers_keys_and_what_is_made_with_them_are_those_of_the_page,
        "counts": test_the_whole_page_of_counts_is_the_one_of_the_page,
    }
    with pytest.raises(AssertionError):
        checks[check]()
