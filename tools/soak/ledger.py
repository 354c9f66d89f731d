"""What the door has acknowledged, and what must hold from then on, whatever dies. Pure.

Rules kept here:
- A credential holds or is gone from the acknowledgement on, and never before; while an act on it is under way, or was
  interrupted before it was acknowledged, it is in doubt, and either is right.
- What is gone opens nothing, for good; what holds opens. Nothing that nobody was given ever opens.
- Every opening is counted: the strike lets go as often as the ledger says, neither more nor less.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum, unique


@unique
class Standing(StrEnum):
    """How a credential stands by what was acknowledged."""

    HOLDS = "holds"
    GONE = "gone"
    DOUBT = "in doubt"


@unique
class Kind(StrEnum):
    """What opens."""

    PIN = "PIN"
    CARD = "card"
    FACE = "face"
    CODE = "guest's code"


@dataclass(frozen=True, slots=True)
class Credential:
    """One way in of one flat. `name` tells two of a kind apart (a card's file, a PIN's digits), and is never shown."""

    kind: Kind
    slot: int = field(repr=False)
    name: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Found:
    """Something that is not as it was acknowledged."""

    what: str
    at: int  # approaches so far


@dataclass(slots=True)
class Ledger:
    """Everything that was acknowledged. `acts`: how many acknowledgements; `openings`: how often the strike let go."""

    standing: dict[Credential, Standing] = field(default_factory=dict)
    found: list[Found] = field(default_factory=list)
    acts: int = 0
    approaches: int = 0
    openings: int = 0
    checked: int = 0
    doubted: int = 0
    interrupted: int = 0  # approaches during which a room died
    again: int = 0  # acts that were not acknowledged, and were asked for again
    recent: list[Credential] = field(default_factory=list)  # acknowledged since the last time that all were looked at

    def begins(self, credential: Credential) -> None:
        """An act on it is under way."""
        self.standing[credential] = Standing.DOUBT

    def given(self, credential: Credential) -> None:
        """The door acknowledged that it opens."""
        self._acknowledged(credential, Standing.HOLDS)

    def taken(self, credential: Credential) -> None:
        """The door acknowledged that it opens no more."""
        self._acknowledged(credential, Standing.GONE)

    def used(self, credential: Credential) -> None:
        """It opened, and does so once: that the strike let go is the acknowledgement."""
        self._acknowledged(credential, Standing.GONE)

    def approached(
        self, credential: Credential | None, *, opened: bool, interrupted: bool = False, heard: str = ""
    ) -> None:
        """Somebody wanted in with `credential` (None: with nothing that was ever given), and `heard` this tone.

        `interrupted`: a room died meanwhile.
        """
        self.approaches += 1
        self.openings += opened
        self.interrupted += interrupted
        standing = self.standing.get(credential, Standing.GONE) if credential else Standing.GONE
        name = credential.kind if credential else "nothing that was given"
        if standing is Standing.DOUBT:
            self.doubted += 1
        elif opened and standing is Standing.GONE:
            self.finds(f"OPENED by what must not open: {name}")
        elif not opened and standing is Standing.HOLDS and not interrupted:
            self.finds(f"LOST: a {name} that was acknowledged does not open{f' ({heard})' if heard else ''}")
        else:
            self.checked += 1

    def counted(self, releases: int, before: int, *, opened: bool) -> None:
        """The strike had let go `before` times, and now `releases` times."""
        if releases - before != opened:
            self.finds(f"the strike let go {releases - before} times where {int(opened)} was answered")

    def finds(self, what: str) -> None:
        """Something that must not be."""
        self.found.append(Found(what, self.approaches))

    def all(self, standing: Standing, kind: Kind) -> list[Credential]:
        """Those that stand so, in the order in which they came to."""
        return [each for each, now in self.standing.items() if now is standing and each.kind is kind]

    def since(self) -> Iterator[Credential]:
        """Those acknowledged since this was asked last, the newest first."""
        recent, self.recent = self.recent, []
        yield from dict.fromkeys(reversed(recent))

    def _acknowledged(self, credential: Credential, standing: Standing) -> None:
        self.standing.pop(credential, None)  # to the end of the order
        self.standing[credential] = standing
        self.acts += 1
        self.recent.append(credential)
