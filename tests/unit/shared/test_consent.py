"""Consent: the hash of the terms moves with everything an agreement rests on, and with nothing else."""

from __future__ import annotations

import dataclasses
import hashlib
import re
import string
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device import consent, tried
from device.config import parse
from device.config.tables import Config, DoorTable, LockTable, VaultTable
from device.consent import LANGUAGES, Liveness, Notice, Terms, hash_of, read_notice, terms_of, threshold_class
from device.errors import StoreFault
from device.strength import KeyPlace, describe

MODEL = hashlib.sha256(b"a model").digest()
DOOR = parse('[door]\nid = "00112233445566aa"\n')
PLAIN = Terms(Notice("notice-0", ("in one", "in another")), "purpose", "retention", MODEL, "class")
PLACES = [
    (KeyPlace.FILE_HOST_KEY, VaultTable()),
    (KeyPlace.FILE_TPM2_CREDENTIAL, VaultTable(root_key_sealed_with="tpm2")),
    (KeyPlace.TPM_NV, VaultTable(key_store="tpm-nv")),
]
texts = st.text(st.characters(codec="utf-8"), max_size=20)
terms = st.builds(
    Terms,
    notice=st.builds(Notice, id=texts, texts=st.tuples(texts, texts)),
    purpose=texts,
    retention=texts,
    model_sha256=st.binary(min_size=32, max_size=32),
    threshold_class=texts,
)


LIGHTS = {
    "left_light_weak_pin": "GPIO13",
    "left_light_strong_pin": "GPIO19",
    "right_light_weak_pin": "GPIO20",
    "right_light_strong_pin": "GPIO21",
}


def with_tier(tier: str, alive: Liveness = Liveness.NONE) -> Config:
    """A door of this tier that tells a live face from a photograph like this."""
    lights: dict[str, Any] = {} if alive is Liveness.NONE else LIGHTS
    board = "gpiozero" if alive is Liveness.TRIED else "sim"
    return replace(DOOR, lock=replace(DOOR.lock, tier=tier, board=board, **lights))


KINDS = [
    (alive, tier)
    for alive in Liveness
    for tier in ("face+pin", "face")
    if (alive, tier) != (Liveness.TRIED, "face+pin")
]


# ---- the hash


def again(of: Terms) -> bytes:
    """The hash as docs/formats.md tells it, written anew."""

    def blake(person: str, data: bytes) -> bytes:
        return hashlib.blake2b(data, digest_size=32, person=person.encode().ljust(16, b"\0")).digest()

    groups: list[list[bytes | str]]
    groups = [[of.notice.id, *of.notice.texts], [of.purpose], [of.retention], [of.model_sha256], [of.threshold_class]]
    parts = []
    for group in groups:
        raw = [each if isinstance(each, bytes) else each.encode("utf-8") for each in group]
        parts.append(blake("doorward-consent", b"".join(len(each).to_bytes(4, "little") + each for each in raw)))
    return blake("doorward-terms", b"".join(parts))


@given(terms)
def test_the_hash_is_made_as_the_page_says(of: Terms) -> None:
    assert of.hash == again(of)
    assert len(of.hash) == 32
    assert [len(part) for part in of.parts] == [32] * 5
    assert hash_of(of.parts) == of.hash


CHANGES: dict[str, Callable[[Terms], Terms]] = {
    "the version of the notice": lambda t: replace(t, notice=replace(t.notice, id=t.notice.id + "x")),
    "the first language": lambda t: replace(
        t, notice=replace(t.notice, texts=(t.notice.texts[0] + " ", *t.notice.texts[1:]))
    ),
    "the second language": lambda t: replace(
        t, notice=replace(t.notice, texts=(t.notice.texts[0], t.notice.texts[1] + "."))
    ),
    "the order of the languages": lambda t: replace(t, notice=replace(t.notice, texts=t.notice.texts[::-1])),
    "a language more": lambda t: replace(t, notice=replace(t.notice, texts=(*t.notice.texts, ""))),
    "a language less": lambda t: replace(t, notice=replace(t.notice, texts=t.notice.texts[:1])),
    "the purpose": lambda t: replace(t, purpose=t.purpose + "s"),
    "the retention": lambda t: replace(t, retention=""),
    "one bit of the model": lambda t: replace(t, model_sha256=bytes((t.model_sha256[0] ^ 1,)) + t.model_sha256[1:]),
    "the threshold class": lambda t: replace(t, threshold_class="another"),
    "text that moves from the purpose into the retention": lambda t: replace(
        t, purpose=t.purpose[:-1], retention=t.purpose[-1] + t.retention
    ),
    "text that moves from one language into the next": lambda t: replace(
        t, notice=replace(t.notice, texts=(t.notice.texts[0][:-1], t.notice.texts[0][-1] + t.notice.texts[1]))
    ),
    "text that moves from the version into the notice": lambda t: replace(
        t, notice=Notice(t.notice.id[:-1], (t.notice.id[-1] + t.notice.texts[0], *t.notice.texts[1:]))
    ),
    "purpose and retention changing places": lambda t: replace(t, purpose=t.retention, retention=t.purpose),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("before", [PLAIN, terms_of(DOOR, MODEL)], ids=["plain", "a door's"])
def test_whatever_the_agreement_rests_on_changes_the_hash(before: Terms, change: Callable[[Terms], Terms]) -> None:
    assert change(before) != before
    assert change(before).hash != before.hash


@given(terms, terms)
def test_two_agreements_have_one_hash_only_if_they_are_the_same(one: Terms, other: Terms) -> None:
    assert (one.hash == other.hash) == (one == other)


def test_a_hash_without_lengths_would_not_notice_text_that_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    def careless(*raw: bytes) -> bytes:
        return hashlib.blake2b(b"".join(raw), digest_size=32).digest()

    monkeypatch.setattr(consent, "_part", careless)
    with pytest.raises(AssertionError):
        test_whatever_the_agreement_rests_on_changes_the_hash(
            PLAIN, CHANGES["text that moves from one language into the next"]
        )


def test_a_hash_over_one_language_would_not_notice_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    real = consent._part
    monkeypatch.setattr(consent, "_part", lambda *raw: real(*raw[:2]))
    with pytest.raises(AssertionError):
        test_whatever_the_agreement_rests_on_changes_the_hash(PLAIN, CHANGES["the second language"])


# ---- a door's terms


def test_every_place_for_keys_every_tier_and_every_test_for_live_faces_has_terms_of_its_own() -> None:
    doors = [replace(with_tier(tier, alive), vault=vault) for _, vault in PLACES for alive, tier in KINDS]
    hashes = [terms_of(door, MODEL).hash for door in doors]
    assert len(set(hashes)) == len(doors) == 15


def test_lights_that_are_fitted_later_send_faces_to_sleep_until_their_residents_agree() -> None:
    for tier in ("face+pin", "face"):
        assert terms_of(with_tier(tier, Liveness.LIGHT), MODEL).hash != terms_of(with_tier(tier), MODEL).hash


def test_where_the_lights_are_and_who_drives_them_leaves_the_hash_alone() -> None:
    door = with_tier("face+pin", Liveness.LIGHT)
    moved = replace(
        door, lock=replace(door.lock, left_light_weak_pin="GPIO26"), eye=replace(door.eye, light_offset_mm=90)
    )
    assert terms_of(moved, MODEL) == terms_of(door, MODEL)
    real = replace(door, lock=replace(door.lock, board="gpiozero"))
    assert terms_of(real, MODEL) == terms_of(door, MODEL)


def test_a_simulated_door_never_says_that_attacks_were_tried_at_it() -> None:
    said = terms_of(with_tier("face", Liveness.LIGHT), MODEL).notice.text("en")
    assert "held up" not in said
    assert "held up at least" in terms_of(with_tier("face", Liveness.TRIED), MODEL).notice.text("en")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_notice_promises_of_tries_what_has_to_hold_for_a_face_alone(language: str) -> None:
    *_, said = consent._ALIVE[Liveness.TRIED][LANGUAGES.index(language)]
    numbers = re.findall(r"[0-9]+", said)
    bound = tried.percent(tried.upper_bound(0, tried.LEAST_ATTACKS))
    assert sorted(numbers) == sorted(map(str, (tried.LEAST_ATTACKS, round(tried.CONFIDENCE * 100), 100, bound)))


def test_a_place_is_what_counts_and_not_how_it_was_spelt() -> None:
    one, other = (
        replace(DOOR, vault=VaultTable(key_store="tpm-nv", root_key_sealed_with=word)) for word in ("host", "tpm2")
    )
    assert terms_of(one, MODEL) == terms_of(other, MODEL)


budgets = st.tuples(st.floats(0.001, 1), st.floats(5, 10000))


def with_budget(budget: tuple[float, float]) -> Config:
    return replace(DOOR, vault=VaultTable(false_opens_per_year=budget[0], strangers_per_day=budget[1]))


@pytest.mark.slow
@given(budgets, budgets)
def test_two_budgets_have_one_class_only_if_they_are_the_same(
    one: tuple[float, float], other: tuple[float, float]
) -> None:
    same = threshold_class(with_budget(one)) == threshold_class(with_budget(other))
    assert same == (one == other)


@pytest.mark.parametrize(("one", "other"), [((0.1234567, 5.0), (0.12345671, 5.0)), ((0.5, 9999.951), (0.5, 9999.952))])
def test_budgets_that_differ_in_the_seventh_digit_are_two(one: tuple[float, float], other: tuple[float, float]) -> None:
    assert [f"{number:g}" for number in one] == [f"{number:g}" for number in other], "six digits would hide it"
    assert threshold_class(with_budget(one)) != threshold_class(with_budget(other))


def test_the_class_reads_like_a_sentence() -> None:
    assert threshold_class(DOOR) == "at most 1 false opens a year at 5 strangers a day; face+pin"
    assert threshold_class(with_budget((0.5, 7.5))).startswith("at most 0.5 false opens a year at 7.5 strangers")


# What a face does not rest on: changing it must send nobody to sleep.
UNCONCERNED = {
    "door.id": DoorTable("ffffffffffffffff"),
    "vault.expiry_grace_s": replace(DOOR.vault, expiry_grace_s=1.0),
    "lock.unlock_ms": replace(DOOR.lock, unlock_ms=9000),
    "lock.window_s": replace(DOOR.lock, window_s=5.0),
    "report.cadence_s": replace(DOOR.report, cadence_s=1.0),
    "eye.threads": replace(DOOR.eye, threads=4),
    "tpm.tcti": replace(DOOR.tpm, tcti="device:/dev/tpm0"),
    "keeper.key_store": replace(DOOR.keeper, key_store="tpm-nv"),
}


@pytest.mark.parametrize(("name", "table"), UNCONCERNED.items(), ids=UNCONCERNED)
def test_what_an_agreement_does_not_rest_on_leaves_the_hash_alone(name: str, table: Any) -> None:
    changed = replace(DOOR, **{name.partition(".")[0]: table})
    assert changed != DOOR
    assert terms_of(changed, MODEL) == terms_of(DOOR, MODEL)


def test_every_setting_of_vault_and_the_tier_are_thought_of() -> None:
    """A new setting of vault has to be put on one side: in the terms, or among what they do not rest on."""
    assert {field.name for field in dataclasses.fields(VaultTable)} == {
        "key_store",
        "root_key_sealed_with",
        "false_opens_per_year",
        "strangers_per_day",
        "expiry_grace_s",
    }
    assert "tier" in {field.name for field in dataclasses.fields(LockTable)}


def test_terms_are_the_same_for_vault_and_desk_and_at_every_start() -> None:
    assert terms_of(DOOR, MODEL) == terms_of(parse('[door]\nid = "00112233445566aa"\n'), MODEL, read_notice())
    assert terms_of(DOOR, MODEL).hash != terms_of(DOOR, hashlib.sha256(b"another model").digest()).hash


# ---- the notice


def blanks(text: str) -> list[str]:
    return re.findall(r"\$\{?(\w+)\}?", text)


def outline(text: str) -> list[str]:
    """What each line of a notice is: nothing, a blank, a point of a list, a row of a table, or plain text."""

    def kind(line: str) -> str:
        if not line.strip():
            return "-"
        if line.startswith("$"):
            return line
        if line.startswith("- "):
            return "point" + (" " + line[2:] if line.startswith("- $") else "")
        if re.match(r"\S+( \S+)*  +\S", line):
            return "row"
        return "more" if line.startswith("  ") else "text"

    kinds = [kind(line) for line in text.splitlines()]
    return [
        each
        for each, before in zip(kinds, ["", *kinds], strict=False)
        if each not in ("more", before) or each == "row" or each.startswith("point")
    ]


def test_all_languages_have_the_same_blanks_in_the_same_places() -> None:
    first, *others = read_notice().texts
    assert sorted(blanks(first)) == ["liveness", "strength", "worth"]
    for other in others:
        assert blanks(other) == blanks(first)
        assert outline(other) == outline(first)


def test_a_point_a_row_or_a_blank_that_is_missing_in_one_language_is_seen() -> None:
    text = read_notice().texts[0]
    lines = text.splitlines(keepends=True)
    for at, line in enumerate(lines):
        if line.startswith(("- ", "$")) or re.match(r"\S.*\S  +\S", line):
            assert outline("".join(lines[:at] + lines[at + 1 :])) != outline(text)


def commands(text: str) -> list[str]:
    """What somebody is told to type, in order of what it is."""
    return sorted(re.findall(r"doorctl \w+", re.sub(r"\s+", " ", text)) + re.findall(r"0\d #", text))


def test_all_languages_tell_the_same_keys_and_commands() -> None:
    first, *others = read_notice().texts
    assert commands(first) == [
        "02 #",
        "03 #",
        "04 #",
        "06 #",
        "doorctl enrol",
        "doorctl erase",
        "doorctl pause",
        "doorctl renew",
        "doorctl resume",
    ]
    for other in others:
        assert commands(other) == commands(first)


@pytest.mark.parametrize(("place", "vault"), PLACES)
@pytest.mark.parametrize(("alive", "tier"), KINDS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_notice_says_what_holds_at_this_door(
    place: KeyPlace, vault: VaultTable, alive: Liveness, tier: str, language: str
) -> None:
    text = terms_of(replace(with_tier(tier, alive), vault=vault), MODEL).notice.text(language)
    assert "$" not in text
    for sentence in describe(place).sentences(language):
        assert f"\n- {sentence}\n" in text
    worth = {of: said[LANGUAGES.index(language)] for of, said in consent._WORTH.items()}
    assert worth[tier] in text
    said = {sentence for told in consent._ALIVE.values() for sentence in told[LANGUAGES.index(language)]}
    here = set(consent._ALIVE[alive][LANGUAGES.index(language)])
    assert {sentence for sentence in said if f"\n- {sentence}\n" in text} == here
    assert not [said for of, said in worth.items() if of != tier and said in text]
    assert text.endswith("\n")
    assert max(len(line.encode("gb18030")) for line in text.splitlines()) <= 80, "wider than a terminal"


def test_the_notice_names_the_retention_that_is_hashed() -> None:
    text = " ".join(read_notice().text("en").split())
    assert consent.RETENTION in text
    assert consent.PURPOSE in text


def test_a_notice_that_is_gone_or_no_text_is_a_fault_in_words(tmp_path: Path) -> None:
    with pytest.raises(StoreFault, match="nobody can be enrolled"):
        read_notice(tmp_path)
    for language in LANGUAGES:
        (tmp_path / f"{consent.NOTICE_ID}.{language}.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(StoreFault, match="nobody can be enrolled"):
        read_notice(tmp_path)


@pytest.mark.parametrize("damage", ["$", "$5", "$strenght", "${worth", "$Strength"])
def test_a_notice_with_a_damaged_blank_is_a_fault_in_words(damage: str) -> None:
    with pytest.raises(StoreFault, match="nobody can be enrolled"):
        terms_of(DOOR, MODEL, Notice("notice-0", ("$strength $liveness $worth", damage)))
    with pytest.raises((KeyError, ValueError)):
        string.Template(damage).substitute(strength="", liveness="", worth="")


def test_line_ends_of_another_system_make_no_other_notice(tmp_path: Path) -> None:
    for language, text in zip(LANGUAGES, read_notice().texts, strict=True):
        (tmp_path / f"{consent.NOTICE_ID}.{language}.txt").write_bytes(text.replace("\n", "\r\n").encode())
    assert read_notice(tmp_path) == read_notice()
