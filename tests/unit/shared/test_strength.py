"""What people are told about deletions: one table, the same answers in every language, never better than named."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from device import strength
from device.config.tables import VaultTable
from device.strength import LANGUAGES, Answer, KeyPlace, Strength, describe, place_of

KEYS_PAGE = (Path(__file__).parents[3] / "docs" / "keys.md").read_text(encoding="utf-8")
every_place = pytest.mark.parametrize("place", list(KeyPlace))
every_language = pytest.mark.parametrize("language", LANGUAGES)


def answers(of: Strength) -> tuple[Answer, ...]:
    return (of.stolen_card, of.live_files, of.older_files, of.older_image)


def test_the_numbers_that_stand_in_receipts_keep_their_meaning() -> None:
    assert {place.value: place.name for place in KeyPlace} == {
        1: "FILE_HOST_KEY",
        2: "FILE_TPM2_CREDENTIAL",
        3: "TPM_NV",
    }


@every_place
def test_every_place_is_described_as_itself(place: KeyPlace) -> None:
    assert describe(place).place is place


def test_what_was_erased_never_opens_from_the_files_of_today() -> None:
    assert {describe(place).live_files for place in KeyPlace} == {Answer.SHUT}


def test_only_memory_outside_the_disk_makes_a_deletion_final() -> None:
    assert [place for place in KeyPlace if describe(place).deletion_is_final] == [KeyPlace.TPM_NV]


@pytest.mark.parametrize("column", ["live_files", "older_files", "older_image"])
def test_one_copy_that_opens_makes_a_deletion_not_final(column: str) -> None:
    shut = dict.fromkeys(("stolen_card", "live_files", "older_files", "older_image"), Answer.SHUT)
    assert Strength(KeyPlace.TPM_NV, **shut).deletion_is_final
    assert Strength(KeyPlace.TPM_NV, **{**shut, "stolen_card": Answer.OPENS}).deletion_is_final, "about erased records"
    assert not Strength(KeyPlace.TPM_NV, **{**shut, column: Answer.OPENS}).deletion_is_final


def test_a_better_place_is_better_in_every_answer_or_the_same() -> None:
    worst, middle, best = (answers(describe(place)) for place in KeyPlace)
    for lesser, greater in ((worst, middle), (middle, best)):
        assert all(low is Answer.OPENS or high is Answer.SHUT for low, high in zip(lesser, greater, strict=True))


def test_the_page_about_keys_says_the_same() -> None:
    """The cells of its first three rows, without the column that needs no asking (files of today stay shut)."""
    rows = [
        [re.sub(r"[*¹]", "", cell).strip() for cell in line.strip("|").split("|")]
        for line in KEYS_PAGE.splitlines()
        if re.match(r"\| `(file|tpm-nv)`[:,]? ?[^|]*\| (\*\*|stays)", line)
    ]
    assert [row[1:] for row in rows] == [
        [of.stolen_card.value, of.older_files.value, of.older_image.value] for of in map(describe, KeyPlace)
    ]
    assert "the files of today do not open what was erased" in " ".join(KEYS_PAGE.split())


# ---- in words


@every_place
@every_language
def test_each_answer_has_a_sentence_that_gives_it_and_not_the_other(place: KeyPlace, language: str) -> None:
    of, said = describe(place), strength._SAID[language]
    sentences = of.sentences(language)
    assert len(sentences) == len(set(sentences)) == 4
    for sentence, answer in zip(sentences, answers(of), strict=True):
        other = next(each for each in Answer if each is not answer)
        assert said[answer] in sentence
        assert said[other] not in sentence
        assert "{" not in sentence
        assert "\n" not in sentence
        assert sentence[-1] in ".。"


@every_language
def test_places_that_differ_are_told_apart(language: str) -> None:
    assert len({describe(place).sentences(language) for place in KeyPlace}) == len(KeyPlace)


def test_without_a_language_it_is_the_first_one() -> None:
    for place in KeyPlace:
        assert describe(place).sentences() == describe(place).sentences(LANGUAGES[0])


def test_every_language_has_every_sentence_and_both_answers() -> None:
    assert set(strength._ASKED) == set(strength._SAID) == set(LANGUAGES)
    for language in LANGUAGES:
        assert [sentence.count("{}") for sentence in strength._ASKED[language]] == [1] * 4
        assert set(strength._SAID[language]) == set(Answer)
        assert len(set(strength._SAID[language].values())) == len(Answer)


# ---- from door.toml


@pytest.mark.parametrize("key_store", ["file", "", "FILE", "tpm", "nv"])
@pytest.mark.parametrize("sealed_with", ["host", "", "TPM2", "auto", "null", "host+tpm2"])
def test_whatever_is_not_named_exactly_is_the_weakest(key_store: str, sealed_with: str) -> None:
    assert place_of(key_store, sealed_with) is KeyPlace.FILE_HOST_KEY


def test_what_is_named_is_believed() -> None:
    assert place_of("file", "tpm2") is KeyPlace.FILE_TPM2_CREDENTIAL
    assert {place_of("tpm-nv", word) for word in ("host", "tpm2")} == {KeyPlace.TPM_NV}


def test_a_door_that_says_nothing_promises_least() -> None:
    assert VaultTable().key_place is KeyPlace.FILE_HOST_KEY
    assert answers(describe(VaultTable().key_place)) == (Answer.OPENS, Answer.SHUT, Answer.OPENS, Answer.OPENS)
