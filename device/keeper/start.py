"""Put keeper together from its files.

Rules kept here:
- What can be refused is refused here, before the first digit: a missing key, a foreign ring, a bad door.toml.
- Each use of the root key has a key of its own, derived for that purpose.
- A damaged record keeps nobody else out; a lost count opens nothing. Both are said in the journal, by number only.
"""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

from device import config as door_config
from device.config.tables import KeeperTable, TpmTable
from device.errors import StoreFault
from device.handover import credential
from device.journal import log
from device.keeper.any_cards import MakeCards, NoCards, Say
from device.keeper.attempt import Clock, Guard
from device.keeper.attempts import AttemptFile
from device.keeper.book import Book
from device.keeper.ends import GRACE_S, Ends
from device.keeper.line import Line
from device.keeper.loop import Keeper
from device.keeper.pin import PRODUCTION, Cost, Verifiers, derive, stretcher
from device.keeper.retired import RetiredKeeper
from device.keeper.tenancies import Tenancies
from device.keeper.throttle import Throttle
from device.keeper.worker import ThreadExecutor
from device.sealing.keys import KeyStore
from device.sealing.providers import Index, key_store
from device.sealing.retired import Destroying, End
from device.sealing.store import Binding, SealedStore
from device.service import Service


def guard_at(
    state: Path,
    door: bytes,
    root_key: bytes,
    clock: Clock,
    cost: Cost = PRODUCTION,
    keys: KeyStore | None = None,
    grace_s: float = GRACE_S,
) -> Guard:
    """What keeper holds in the folder `state`, made on a new door. Raises StoreFault, KeyFault.

    `door` is the id in door.toml (8 bytes), `root_key` keeper's credential (32 bytes), `keys` the file if not given,
    `grace_s` how long the clock must have said without a break that a tenancy is over before its PIN is destroyed.
    """
    _own_folder(state)
    keys = keys if keys is not None else _ring_keys(state, root_key, KeeperTable(), TpmTable())
    store = SealedStore.open(state / "records", keys, Binding(door, "pin"))
    book = Book(store)
    file = AttemptFile(state / "attempts", derive(root_key, b"doorward tries"))
    throttle = Throttle(file.load(book.slots()), clock.now_s())
    refused = len(store.refused) + book.unreadable
    if refused:
        log(f"keeper: {refused} sealed records were refused; who held them needs a new invitation")
    if file.damaged:
        log("keeper: the counts of wrong attempts were lost, so all of them are taken for spent")
    return Guard(book, throttle, file, Verifiers.of_door(root_key), stretcher(cost), clock, Ends(grace_s))


def _ring_keys(state: Path, root_key: bytes, keeper: KeeperTable, tpm: TpmTable) -> KeyStore:
    return key_store(keeper.key_store, state / "epoch.key", derive(root_key, b"doorward ring"), Index.KEEPER, tpm.tcti)


def build(service: Service) -> Keeper | RetiredKeeper:
    """The keeper as it runs on a door; at one that has ended, after what is left is destroyed.

    Raises ConfigRefused, KeyFault, StoreFault.
    """
    config = door_config.load(service.paths.config)
    state = service.paths.state("keeper")
    end = End(state, ("records",))
    clock = Clock(time.monotonic_ns, time.time)
    root_key = credential("keeper.key")
    keys = _ring_keys(state, root_key, config.keeper, config.tpm)
    if end.begun:
        return RetiredKeeper(service, Destroying(end, keys, "keeper"))
    door = bytes.fromhex(config.door.id)
    guard = guard_at(state, door, root_key, clock, keys=keys, grace_s=config.vault.expiry_grace_s)
    reader = bool(config.lock.card_reader) or config.lock.board == "sim"
    cards = cards_at(state, door, root_key) if reader else NoCards

    def retire() -> None:
        end.begin()
        log("keeper: the door ends; this process gives up what it holds, and the next one destroys it")
        service.fail()

    return Keeper(service, guard, ThreadExecutor(service.watch), cards=cards, retire=retire)


def cards_at(state: Path, door: bytes, root_key: bytes) -> MakeCards:
    """The cards that keeper holds in the folder `state`, made on a new door. Raises KeyFault.

    Counters that cannot be had keep no PIN out: then no card opens. What cards need is loaded here and by nobody else:
    about 10 MB, which a door without a reader does not spend.
    """
    from device.keeper.card_talk import CardTalk
    from device.keeper.cards.counters import Counters
    from device.keeper.cards.diversify import MASTER_BYTES, CardKeys

    counters = Counters(state / "cards", derive(root_key, b"doorward counts"))
    try:
        counters.load()
    except StoreFault as fault:
        log(f"keeper: {fault}; until keeper starts anew, no card opens, and PINs do")
        return NoCards
    if counters.damaged:
        log("keeper: the counters of cards were lost; who has a card must add it again")
    keys = CardKeys(derive(root_key, b"doorward cards")[:MASTER_BYTES], door)

    def make(guard: Guard, tenancies: Tenancies, line: Line, say: Say) -> CardTalk:
        talk = CardTalk(guard, tenancies, line, counters, keys, say, os.urandom)
        with contextlib.suppress(StoreFault):  # what is left of cancelled cards opens nothing, and goes another time
            counters.retain(talk.serials())
        return talk

    return make


def _own_folder(state: Path) -> None:
    try:
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as cause:
        msg = f"keeper's folder cannot be made: {cause.strerror}"
        raise StoreFault(msg) from cause
