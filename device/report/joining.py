"""While the door has a label and no certificate: its request goes to the manager, the answer comes back.

Rules kept here:
- Nothing else leaves before: the connection with the certificate begins when there is one.
- The request is complete once lock has said its key; the label's secret only makes its MAC and stays here.
- An answer is judged before a file is touched (`installing`). A wrong one is said in the log, once, and changes
  nothing: the right one may still come. The last one refused is judged again: a clock is set, a disk gets room.
- An answer may come by hand as well; it is looked for every few seconds.
- A label that is over is not asked with; should the clock be set, or another label come, it is asked with then.
"""

from __future__ import annotations

from collections.abc import Callable

from device import certificates
from device.errors import Fault, Refusal
from device.installing import Joining
from device.joining import Answer, Request, claim_key
from device.journal import log
from device.report.ports import Claim
from device.report.publisher import What
from device.report.said import SaidOnce


class Joiner:
    """The joining of the door `door_id` (8 bytes); without a `claim` the answer comes by hand."""

    def __init__(self, files: Joining, door_id: bytes, claim: Claim | None, wall: Callable[[], float]) -> None:
        self._files = files
        self._door_id = door_id
        self._claim = claim
        self._wall = wall
        self._document_key = b""
        self._asked = False
        self._refused = b""
        self._said = SaidOnce()
        self._told_lost = False
        self.done = False

    @property
    def claim(self) -> Claim | None:
        """The connection, while there is one."""
        return self._claim

    def key_is(self, document_key: bytes) -> None:
        """Lock says what this door's documents are sealed to: ask, once."""
        self._document_key = document_key
        self._ask()

    def _ask(self) -> None:
        if self._asked or self._claim is None or self.done or not self._document_key:
            return
        try:
            label = self._files.label()
            if label is None or label.expired(self._wall()):
                self._said.say(
                    "report: the label of this door is over before its manager answered; `doorctl join --label` takes "
                    "another one for it"
                )
                return
            asked = Request(self._door_id, self._document_key, certificates.ask(self._files.key(), self._door_id))
            request = asked.pack(claim_key(label.secret))
        except (Refusal, Fault) as trouble:
            self._said.say(f"report: the door cannot ask to join: {trouble}")
            return
        self._asked = True
        log(f"report: asks its manager to join; the fingerprint is {asked.fingerprint}")
        self._claim.start(request)

    def look(self) -> bool:
        """Whether there is a certificate now, perhaps brought by hand."""
        self._ask()
        if self._refused:
            self._take(self._refused)
        return self._there()

    def _there(self) -> bool:
        try:
            self.done = self._files.certificate() is not None
        except (Refusal, Fault) as trouble:
            self._said.say(f"report: the door's certificate: {trouble}")
        return self.done

    def news(self) -> bool:
        """Take what the connection brought; whether the door has its certificate now."""
        for event in self._claim.events() if self._claim is not None else ():
            match event.what:
                case What.CONNECTED:
                    self._told_lost = False
                    log("report: the request is with the broker; the manager approves it")
                case What.CERTIFICATE:
                    self._take(event.content)
                case What.LOST if not self._told_lost:
                    self._told_lost = True
                    log(f"report: no connection to the broker's port for joining ({event.why})")
        return self._there()

    def alive(self) -> bool:
        """Whether it still tries, or need not."""
        return self._claim is None or not self._asked or self._claim.alive()

    def stop(self) -> None:
        """End. Once there is a certificate, the label goes, and the request from the broker; else both stay."""
        claim, self._claim = self._claim, None
        if claim is not None:
            claim.stop(answered=self.done)
        if self.done:
            try:
                self._files.forget_label()
            except Fault as trouble:
                log(f"report: {trouble}")

    def _take(self, content: bytes) -> None:
        try:
            found = self._files.install(Answer.read(content), self._door_id, self._wall())
        except (Refusal, Fault) as trouble:
            self._refused = content
            self._said.say(f"report: an answer to the joining was refused: {trouble}")
            return
        self._refused = b""
        if found is not None:
            log(f"report: the door has joined; its certificate lasts until {found.not_valid_after_utc:%Y-%m-%d}")
