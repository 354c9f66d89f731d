"""What an audit says of the door itself: the places of its keys, its folders, its files, its terms, its key.

Rules kept here:
- A check that fails does not stop the others; what needs vault goes without it where vault is away.
- What the places of the keys mean stands in `device.strength` and is said in its words.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from device import config, wire
from device.config.tables import Config
from device.desk import selftest, terms, timeouts
from device.desk.audit import folders
from device.desk.audit.finding import Finding, State, failed, ok, skipped
from device.desk.client import DeskLine
from device.desk.sentences import KEY_PLACES
from device.edges import Room
from device.errors import Fault, Refusal
from device.paths import Paths
from device.strength import KeyPlace, describe
from device.wire import RecordAnswer, Result

CANNOT_SHOW = (
    "a copy that somebody else made of the files or of the disk",
    "blocks that flash memory has set aside: no program can read them",
    "records of the same face from before its last change (a pause, a renewal, new keys): each had a mark of its own",
    "what lies in an image under compression or another encryption",
    "a wall against root, or against a flaw of the kernel: there is none",
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where the epoch key of `room` lives; `holds` says in a word what lies under it."""

    room: Room
    holds: str
    place: KeyPlace

    @property
    def lines(self) -> tuple[str, ...]:
        """For a person: the place, and what somebody else's copies reveal."""
        head = f"{self.room} ({self.holds}): the epoch key lives in {KEY_PLACES[self.place]}."
        return (head, *(f"  {sentence}" for sentence in describe(self.place).sentences()))

    @property
    def facts(self) -> dict[str, object]:
        """For a program."""
        return {"key_place": self.place.name.lower(), "sentences": list(describe(self.place).sentences())}


def places(door: Config) -> tuple[Place, Place]:
    """The places of vault's and of keeper's key, as door.toml names them."""
    return Place(Room.VAULT, "faces", door.vault.key_place), Place(Room.KEEPER, "PINs", door.keeper.key_place)


def configuration(paths: Paths) -> Config | None:
    """The configuration, if it can be read; the check says what is wrong with it."""
    try:
        return config.load(paths.config)
    except Refusal:
        return None


def ask_vault(paths: Paths, record: bytes) -> RecordAnswer | str:
    """What vault says about `record` (16 bytes) and of itself, or why it says nothing."""
    try:
        with DeskLine.open(paths) as line:
            answer = line.ask(wire.QueryRecord(record), timeouts.RECORD_S + timeouts.GRACE_S)
    except (Refusal, Fault) as error:
        return str(error)
    if isinstance(answer, RecordAnswer):
        return answer
    busy = isinstance(answer, wire.Ended) and answer.result is Result.BUSY
    return "the door is serving others; try again in a minute" if busy else "vault is away, or does not answer"


def findings(paths: Paths, models: Path, door: Config | None, vault: RecordAnswer | str) -> Iterator[Finding]:
    """Everything that is looked at without a receipt."""
    for room in folders.STATEFUL:
        yield folders.owner_and_mode(room, paths.state(room), folders.owners(paths, room))
    yield folders.only_known_files(paths.state(Room.VAULT), door.vault.key_store if door else "file")
    for check in (selftest.check_configuration(paths), selftest.check_models(models)):
        yield Finding(check.name, State.OK if check.ok else State.FAILED, check.sentence)
    yield _terms(paths, models, vault)
    yield from _vault(door, vault)


def _terms(paths: Paths, models: Path, vault: RecordAnswer | str) -> Finding:
    try:
        found = terms.in_force(paths, models)
    except (Refusal, Fault) as error:
        return failed("notice", str(error))
    if isinstance(vault, RecordAnswer) and vault.terms != found.hash[: wire.TERMS_ID_BYTES]:
        return failed(
            "notice",
            f"{found.notice.id} says something else than what vault holds consents against: door.toml, or what is "
            "installed, has been changed since vault started. Start the door anew",
        )
    return ok("notice", f"{found.notice.id} is in force, and the terms have the hash {found.hash.hex()}")


def _vault(door: Config | None, vault: RecordAnswer | str) -> Iterator[Finding]:
    if isinstance(vault, str):
        yield skipped("door key", vault)
        yield skipped("key place", vault)
        return
    yield ok("door key", vault.door_key.hex())
    if vault.key_place not in set(KeyPlace):
        yield failed("key place", "vault names a place that this program does not know")
    elif door is None:
        yield skipped("key place", "without a configuration there is nothing to compare with")
    elif vault.key_place != door.vault.key_place:
        said = KEY_PLACES[KeyPlace(vault.key_place)]
        yield failed("key place", f"vault says {said}; door.toml has been changed since vault started")
    else:
        yield ok("key place", "vault says the same as door.toml")
