"""Whose documents this door believes: the key in door.toml, or the one that followed it, each signed by the one before.

Rules kept here:
- A key is followed by another only by a document that it signed itself. From that moment on its own documents are
  unsigned here, also those it signed before; and a key that was followed never comes back.
- The signed documents are kept, and verified again at every start, from the key in door.toml on. Nothing but a
  signature makes a key believed.
- Two copies, each whole or replaced as a whole; the longer one counts and the other is mended. As soon as the first is
  written the new key is believed; the same document, brought again, finishes what was interrupted.
- Which key is believed stands beside the applied version as well (`policy.VersionFile`). A door that has lost both
  copies, or got older ones back, believes nobody rather than a key that was replaced because it was stolen.
- Whoever may write door.toml decides who the manager is: a key there that is none of the chain begins a new one, and
  the newest key written there needs no chain.
- A document on the disk is believed if the key that signed it was the manager's at that document's version.
- At most 16 follow, so that no start is long.

Inside the box: magic, version, number of documents (u8), the first key; then the signed documents, 122 bytes each.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

from device.document import KEY_BYTES, DocumentUnsigned, Parsed, Successor, parse
from device.errors import DocumentRefused, StoreFault
from device.journal import log
from device.lock import durable

MOST_LINKS = 16
_MAGIC = b"DWMC"
_VERSION = 1
_HEAD = struct.Struct(f"<4sBB{KEY_BYTES}s")
_LINK_BYTES = 122  # head of 26, a key, a signature
_WHAT = "the manager's new key"


class Damage(Enum):
    """What is said of a copy that is there and cannot be believed."""

    IS = 1


@dataclass(frozen=True, slots=True)
class Link:
    """A signed document by which one key followed another. `version` is its own."""

    content: bytes
    version: int
    key: bytes


@dataclass(frozen=True, slots=True)
class Chain:
    """The first key, and the links from there on, verified."""

    root: bytes
    links: tuple[Link, ...] = ()

    @property
    def keys(self) -> tuple[bytes, ...]:
        """All keys, the one that is believed last."""
        return (self.root, *(link.key for link in self.links))

    @property
    def version(self) -> int:
        """The version of the newest link; 0 without any."""
        return self.links[-1].version if self.links else 0


@dataclass(slots=True)
class Managers:
    """The chain of this door. `folder` is lock's state folder, `root` the key in door.toml; `box` seals what lies here.

    `believed`: the key that followed last and was applied, as the other file says; empty if none did.
    """

    folder: Path
    door: bytes
    root: bytes
    box: SecretBox = field(repr=False)
    believed: bytes = b""
    chain: Chain = field(init=False)
    lost: bool = field(init=False, default=False)
    _alike: bool = field(init=False, default=True)  # both copies hold `chain`

    def __post_init__(self) -> None:
        self._load()
        if self.lost:
            log(
                "by whom this door's documents are signed cannot be read, so it takes none, and no face opens: restore "
                "lock's file managers.a or managers.b, or write the manager's newest key into "
                "door.toml, or over the one in joined.toml where there is such a file"
            )
        elif not self._alike:
            try:
                self._write(self.chain)
            except StoreFault as fault:
                log(str(fault))

    @property
    def key(self) -> bytes:
        """The manager's key; empty if this door has none, or cannot say which."""
        return b"" if self.lost else self.chain.keys[-1]

    @property
    def witness(self) -> bytes:
        """What stands beside the applied version: the key, once one followed another; empty before."""
        return self.key if self.chain.links or self.believed else b""

    @property
    def paths(self) -> tuple[Path, Path]:
        """The two files; the first is written first."""
        return self.folder / "managers.a", self.folder / "managers.b"

    # ---- what is believed

    def parse(self, content: bytes) -> Parsed:
        """The document in `content`, which somebody brought. Raises StoreFault or DocumentRefused."""
        if self.lost:
            msg = "by whom this door's documents are signed cannot be read"
            raise StoreFault(msg)
        # A link that is kept here is parsed as it was then: only its version says whether anything is left to do.
        for key, link in zip(self.chain.keys, self.chain.links, strict=False):
            if link.content == content:
                return parse(content, self.door, key)
        return parse(content, self.door, self.key)

    def kept(self, content: bytes) -> Parsed:
        """The document in `content`, which this door has kept since it was applied. Raises DocumentRefused."""
        if self.lost:
            msg = "by whom it was to be signed cannot be read"
            raise DocumentUnsigned(msg)
        since = 0
        for key, link in zip(self.chain.keys, (*self.chain.links, None), strict=True):
            with suppress(DocumentUnsigned):
                parsed = parse(content, self.door, key)
                if since < parsed.version and (link is None or parsed.version < link.version):
                    return parsed
            since = link.version if link else since
        msg = "the document is not signed by whoever was this door's manager then"
        raise DocumentUnsigned(msg)

    # ---- a new key

    def apply(self, content: bytes, parsed: Parsed) -> None:
        """Believe the key that a document of `parse` names, durably. Raises DocumentRefused or StoreFault.

        After StoreFault the new key may be believed already; the same document may be brought again.
        """
        if not isinstance(parsed.body, Successor):
            return
        if content not in (link.content for link in self.chain.links):
            link = Link(content, parsed.version, parsed.body.manager_key)
            self._write(self._with_room(link))
        elif not self._alike:
            self._write(self.chain)

    def _with_room(self, link: Link) -> Chain:
        if link.key in self.chain.keys:
            msg = "a manager's key that was replaced does not come back"
            raise DocumentRefused(msg)
        before = 0
        if len(self.chain.links) == MOST_LINKS:
            before = self.chain.keys.index(self.root)  # what led to the key in door.toml is not needed any more
        if len(self.chain.links) - before == MOST_LINKS:
            msg = (
                f"the manager's key was replaced {MOST_LINKS} times; write the newest one into door.toml "
                "(or joined.toml) first"
            )
            raise DocumentRefused(msg)
        return Chain(self.chain.keys[before], (*self.chain.links[before:], link))

    # ---- the two copies

    def _write(self, chain: Chain) -> None:
        try:
            for path in self.paths:
                durable.store(path, bytes(self.box.encrypt(_packed(chain))), _WHAT)
        except StoreFault:
            self._load()  # the first copy may be there, and it counts
            raise
        self.chain, self._alike = chain, True

    def _load(self) -> None:
        copies = [self._read(path) for path in self.paths]
        there = [copy for copy in copies if isinstance(copy, Chain)]
        ours = [copy for copy in there if self.root in copy.keys]
        self.chain = max(ours, key=lambda chain: chain.version, default=Chain(self.root))
        self._alike = not ours or copies[0] == copies[1]
        if ours:
            self.lost = self.believed not in (b"", *self.chain.keys)
        elif there:
            self.lost, self.believed = False, b""  # door.toml has another manager's key
        else:
            gone = Damage.IS in copies or self.believed != b""
            self.lost = gone and self.root != self.believed

    def _read(self, path: Path) -> Chain | Damage | None:
        try:
            plain = self.box.decrypt(durable.load(path))
            magic, version, many, root = _HEAD.unpack_from(plain)
            rest = plain[_HEAD.size :]
            if (magic, version, many * _LINK_BYTES) != (_MAGIC, _VERSION, len(rest)) or not 1 <= many <= MOST_LINKS:
                return Damage.IS
            return Chain(root, tuple(self._links(root, rest)))
        except FileNotFoundError:
            return None
        except (OSError, CryptoError, ValueError, struct.error):
            # ValueError: too short to be a box at all, or a document that is refused.
            return Damage.IS

    def _links(self, root: bytes, rest: bytes) -> Iterator[Link]:
        """Each link, verified by the one before. Raises DocumentRefused."""
        known, version = [root], 0
        for at in range(0, len(rest), _LINK_BYTES):
            content = rest[at : at + _LINK_BYTES]
            parsed = parse(content, self.door, known[-1])
            if not isinstance(parsed.body, Successor) or parsed.version <= version or parsed.body.manager_key in known:
                msg = "what should say by whom documents are signed is another document"
                raise DocumentRefused(msg)
            version = parsed.version
            known.append(parsed.body.manager_key)
            yield Link(content, version, known[-1])


def _packed(chain: Chain) -> bytes:
    return _HEAD.pack(_MAGIC, _VERSION, len(chain.links), chain.root) + b"".join(each.content for each in chain.links)
