"""A certificate is renewed long before it ends, at a moment that follows from the door alone.

Rules kept here:
- When is a matter of the certificate's two dates and the door's id. Nothing that happens at the door moves it, so
  renewing tells nothing of anybody; and the doors of a fleet do not ask in one breath.
- The key stays. What is asked with is public; what comes back is judged as at the joining, written whole or not at all,
  and until then the old certificate works on. One that lasts no longer than the present one changes nothing.
- The question is retained until it is answered: whoever answers may be away for weeks.
- A certificate that has ended is said once in the log, with what helps; so is whatever else is wrong with it.
- The last answer that was refused is judged again at each look: a clock is set, a disk gets room.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from cryptography import x509

from device import certificates
from device.errors import Fault, JoiningRefused, Refusal
from device.installing import Joining
from device.joining import Answer
from device.journal import log
from device.report.retained import Retained
from device.report.said import SaidOnce

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
        self._said = SaidOnce()
        self._refused = b""
        self.question = Retained()
        self._asking = False

    @property
    def topic(self) -> str:
        """Where the question goes."""
        return topic(self._door)

    def look(self) -> None:
        """Ask if it is time, once; say so if the certificate has ended."""
        if self._refused:
            self._judge(self._refused)
        self._look()

    def _look(self) -> None:
        try:
            found = self._files.certificate()
            if found is None:
                return
            now = self._wall()
            begins, ends = found.not_valid_before_utc.timestamp(), found.not_valid_after_utc.timestamp()
            if certificates.ended(found, now):
                self._said.say(
                    "report: the door's certificate has ended; `doorctl join --out FILE` writes the question for the "
                    "next one, and `doorctl join --answer` takes it"
                )
            if now >= due_unix(self._door, begins, ends) and not self._asking:
                self.question.want(certificates.ask(self._files.key(), bytes.fromhex(self._door)))
                self._asking = True
            elif now < due_unix(self._door, begins, ends) and self._asking:
                self._answered()  # a new one was brought by hand
        except (Refusal, Fault) as trouble:
            self._said.say(f"report: the door's certificate cannot be renewed: {trouble}")

    def take(self, content: bytes) -> None:
        """An answer came from the broker, perhaps not to a question of ours."""
        self._judge(content)
        self._look()

    def _judge(self, content: bytes) -> None:
        try:
            answer = Answer.read(content)
            if not answer.certificate:
                msg = "the answer holds no certificate"
                raise JoiningRefused(msg)
            before = self._files.certificate_or_none()
            found = self._files.install(answer, bytes.fromhex(self._door), self._wall())
        except (Refusal, Fault) as trouble:
            self._refused = content
            self._said.say(f"report: a certificate from the broker was not taken: {trouble}")
            return
        self._refused = b""
        if found is not None and found != before:  # the same one again is no news, however often a broker brings it
            self._said.anew()
            log(f"report: the door has a certificate until {found.not_valid_after_utc:%Y-%m-%d}{self._cut(found)}")

    def _cut(self, found: x509.Certificate) -> str:
        try:
            short = self._files.cut_short(found)
        except (Refusal, Fault):
            return ""
        return ", when the fleet's authority ends; the manager renews that (`doorward ca renew`)" if short else ""

    def _answered(self) -> None:
        self.question.over()
        self._asking = False
