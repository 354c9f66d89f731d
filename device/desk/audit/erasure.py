"""Whether what a receipt says was erased is gone: from the ring, from vault's folder, and from a disk.

Rules kept here:
- The receipt has to be this door's, by its id and by its key, before anything is concluded from it.
- A record without a mark is searched for by its name alone, and that is said: a mark of zeros is on every disk.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from device.attestation import Receipt, Verified
from device.desk.audit import search
from device.desk.audit.finding import Finding, failed, ok, skipped
from device.desk.audit.folders import TRY_SUDO
from device.desk.papers import files
from device.desk.papers.findings import NO_MARK, day_in_words, receipt_in
from device.errors import AttestationRefused
from device.wire import RecordAnswer

MOST_PLACES = 8  # of a mark that are told
NO_MARK_SENTENCE = "the receipt has no mark: the door could not read the record's file any more"


def read_receipt(path: Path) -> tuple[Finding, Verified | None]:
    """The receipt in the file `path`, if there is one with a good signature."""
    try:
        verified = files.read(path)
        receipt = receipt_in(verified)
    except AttestationRefused as refusal:
        return failed("receipt", str(refusal)), None
    words = f"signed and unchanged: the record {receipt.record_id.hex()} was erased on {day_in_words(receipt.day)}"
    return ok("receipt", words), verified


def is_this_doors(verified: Verified, door: bytes | None, vault: RecordAnswer | str) -> Iterator[Finding]:
    """Whether the receipt is of the door `door` (8 bytes), and signed with the key that vault signs with."""
    if door is None:
        yield skipped("receipt's door", "without a configuration nobody knows which door this is")
    elif verified.paper.door != door:
        yield failed("receipt's door", f"it is of the door {verified.paper.door.hex()}, and this is {door.hex()}")
    else:
        yield ok("receipt's door", "it is of this door")
    if isinstance(vault, str):
        yield skipped("receipt's key", vault)
    elif verified.door_key != vault.door_key:
        yield failed("receipt's key", "it was signed with another key than the one of this door")
    else:
        yield ok("receipt's key", "it was signed with the key of this door")


def not_named(vault: RecordAnswer | str) -> Finding:
    """Whether the ring in force has let go of the record that vault was asked about."""
    if isinstance(vault, str):
        return skipped("ring", vault)
    if vault.named:
        return failed("ring", "the ring in force still names the record: it is not erased")
    return ok("ring", "the ring in force does not name the record, so its key is gone")


def no_file(folder: Path, receipt: Receipt) -> Finding:
    """Whether vault's `folder`, and every folder in it, is without a file of the record's name."""
    name = "record's file"
    wanted = receipt.record_id.hex()
    try:
        found = [path for path in _files_below(folder) if path.name.startswith(wanted)]
    except FileNotFoundError:
        return skipped(name, "vault has no folder here")
    except OSError as cause:
        return failed(name, _unreadable(cause))
    if found:
        return failed(name, f"{found[0]} is still there")
    return ok(name, "there is none in vault's folder")


def no_mark(folder: Path, receipt: Receipt) -> Finding:
    """Whether no file in vault's `folder` holds the record's mark."""
    name = "record's mark"
    if receipt.mark == NO_MARK:
        return skipped(name, NO_MARK_SENTENCE)
    searched = 0
    try:
        for path in _files_below(folder):
            with search.opened(path, follow=False) as source:
                at = next(search.offsets(source.read, receipt.mark), None)
            if at is not None:
                return failed(name, f"{path} holds it, at byte {at}")
            searched += 1
    except search.SearchFault as fault:
        if isinstance(fault.__cause__, FileNotFoundError):
            return failed(name, "vault is changing its files at this moment; try again")
        return failed(name, str(fault))
    except FileNotFoundError:
        return skipped(name, "vault has no folder here")
    except OSError as cause:
        return failed(name, _unreadable(cause))
    return ok(name, f"none of the {searched} files in vault's folder holds it")


def not_in_image(source: search.Searchable, receipt: Receipt, advance: Callable[[int], None]) -> Finding:
    """Whether the disk or image `source` is without the record's mark. Raises SearchFault."""
    name = "image"
    if receipt.mark == NO_MARK:
        return skipped(name, f"{source.path}: {NO_MARK_SENTENCE}")
    places = list(itertools.islice(search.offsets(source.read, receipt.mark, advance), MOST_PLACES))
    if places:
        more = ", and perhaps further on" if len(places) == MOST_PLACES else ""
        where = ", ".join(map(str, places))
        words = (
            "the sealed record still lies there; whether its key does too depends on where vault keeps its keys (above)"
        )
        return failed(name, f"{source.path}: found at byte {where}{more}; {words}")
    return ok(name, f"{source.path}: not found in {source.size} bytes")


def _files_below(folder: Path) -> Iterator[Path]:
    """Every name in `folder` and the folders in it that is no folder itself. Raises OSError."""
    with os.scandir(folder) as listing:
        entries = sorted(listing, key=lambda each: each.name)
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            yield from _files_below(Path(entry.path))
        else:
            yield Path(entry.path)


def _unreadable(cause: OSError) -> str:
    return TRY_SUDO if isinstance(cause, PermissionError) else f"vault's folder cannot be read: {cause.strerror}"
