"""A certificate is renewed long before it ends, at a moment that follows from the door alone.

Rules kept here:
- When is a matter of the certificate's two dates and the door's id. Nothing that happens at the door moves it, so
  renewing tells nothing of anybody; and the doors of a fleet do not ask in one breath.
- The key stays. What is asked with is public; what comes back is judged as at the joining, written whole or not at all,
  and until then the old certificate works on. One that lasts no longer than the present one changes nothing.
- The question is retained until it is answered: whoever answers may be away for weeks.
- A certificate that has ended is said once in the log, with what helps.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from device import certificates
from device.errors import Fault, JoiningRefused, Refusal
from device.installing import Joining
from device.joining import Answer
from device.report.retained import Retained
from device.service import log

_BEGINS, _SPREAD = 2 / 3, 1 / 6  # of a certificate's life: asked for from two thirds on, at five sixths by all


def topic(door: str) -> str:
    """Where the door asks."""
    return f"doorward/{door}/renew"


def due_unix(door: str, begins_unix: float, ends_unix: float) -> float:
    """When the door `door` asks for the next certificate, if the present one lasts from begin to end."""
    digest = hashlib.sha256(b"doorward renewal " + door.encode()).digest()
    phase = int.from_bytes(digest[:6], "big") / 2**48
    return begins_unix + (_BEGINS + _SPREAD * phase) * (ends_unix - begins_unix)


class Renewal:
    """The certificate of the door `door` (16 hexadecimal digits), in `files`; `wall` is seconds since 1970."""

    def __init__(self, files: Joining, door: str, wall: Callable[[], float]) -> None:
        self._files = files
        self._door = door
        self._wall = wall
        self._told_end = False
        self.question = Retained()
        self._asking = False

    @property
    def topic(self) -> str:
        """Where the question goes."""
        return topic(self._door)

    def look(self) -> None:
        """Ask if it is time, once; say so if the certificate has ended."""
        try:
            found = self._files.certificate()
            if found is None:
                return
            now = self._wall()
            begins, ends = found.not_valid_before_utc.timestamp(), found.not_valid_after_utc.timestamp()
            if certificates.ended(found, now) and not self._told_end:
                self._told_end = True
                log("report: the door's certificate has ended; `doorctl join --answer` takes a new one")
            if now >= due_unix(self._door, begins, ends) and not self._asking:
                self.question.want(certificates.ask(self._files.key(), bytes.fromhex(self._door)))
                self._asking = True
            elif now < due_unix(self._door, begins, ends) and self._asking:
                self._answered()  # a new one was brought by hand
        except (Refusal, Fault) as trouble:
            log(f"report: the door's certificate cannot be renewed: {trouble}")

    def take(self, content: bytes) -> None:
        """An answer came from the broker, perhaps not to a question of ours."""
        try:
            answer = Answer.read(content)
            if not answer.certificate:
                msg = "the answer holds no certificate"
                raise JoiningRefused(msg)
            found = self._files.install(answer, bytes.fromhex(self._door), self._wall())
        except (Refusal, Fault) as trouble:
            log(f"report: a certificate from the broker was not taken: {trouble}")
            return
        if found is not None:
            log(f"report: the door has a certificate until {found.not_valid_after_utc:%Y-%m-%d}")
        self._told_end = False
        self.look()

    def _answered(self) -> None:
        self.question.over()
        self._asking = False
