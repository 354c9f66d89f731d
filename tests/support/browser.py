"""Somebody's telephone at the residents' page of a simulated door: reads the screen and sends the forms it shows.

No script runs here and nothing is drawn; what the page is to a person, tests/browser looks at. The certificate is the
door's own, for which nobody vouches, so it is not verified.
"""

from __future__ import annotations

import re
import ssl
import time
from types import TracebackType
from typing import Self

import httpx

BETWEEN_S = 0.2  # a page serves twenty requests a second, of everybody together
_CODE = re.compile(r'<p class="code"[^>]*>(\d{3}) (\d{3})</p>')
_FORM = re.compile(r'<form method="post" action="([^"]+)".*?</form>', re.DOTALL)
_HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')


class Browser:
    """One browser with cookies of its own, in English."""

    def __init__(self, port: int, address: str = "127.0.0.1", timeout_s: float = 30.0) -> None:
        """At the page's `port`; `address`: which of this machine's own it calls from."""
        self.origin = f"https://127.0.0.1:{port}"
        trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        trusting.check_hostname = False
        trusting.verify_mode = ssl.CERT_NONE
        self._client = httpx.Client(
            base_url=self.origin,
            transport=httpx.HTTPTransport(verify=trusting, local_address=address),
            trust_env=False,
            follow_redirects=True,
            timeout=timeout_s,
            headers={"accept-language": "en", "origin": self.origin},
            event_hooks={"request": [self._waits]},
        )
        self._last_s = 0.0
        self.screen = ""
        self.path = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._client.close()

    def goes(self, path: str = "/") -> str:
        """Open that address; what is shown."""
        return self._sees(self._client.get(path))

    def sends(self, action: str, **fields: str) -> str:
        """Send the form for `action` that the screen shows, with `fields` besides; what is shown then."""
        form = next((form for form in _FORM.finditer(self.screen) if form[1] == action), None)
        assert form, f"no form for {action} on {self.path}: {self.screen}"
        return self.posts(action, **dict(_HIDDEN.findall(form[0])), **fields)

    def posts(self, action: str, **fields: str) -> str:
        """Send any fields to any address."""
        return self._sees(self._client.post(action, data=fields))

    def step(self) -> dict[str, object]:
        """What the script of the page asks while an act goes on."""
        said: dict[str, object] = self._client.get("/act.json").json()
        return said

    @property
    def code(self) -> str:
        """The code on the screen; empty if none is."""
        found = _CODE.search(self.screen)
        return found[1] + found[2] if found else ""

    @property
    def sits(self) -> bool:
        """Whether the door says that this browser's code was typed."""
        return bool(self._client.get("/phase.json").json()["phase"] == "open")

    @property
    def secret(self) -> str:
        """The cookie's value."""
        return str(self._client.cookies["__Host-sitting"])

    def takes(self, secret: str) -> None:
        """Name itself by another browser's cookie."""
        self._client.cookies.clear()
        self._client.cookies.set("__Host-sitting", secret, domain="127.0.0.1", path="/")

    def _waits(self, _request: httpx.Request) -> None:
        time.sleep(max(0.0, self._last_s + BETWEEN_S - time.monotonic()))
        self._last_s = time.monotonic()

    def _sees(self, answer: httpx.Response) -> str:
        self.screen, self.path = answer.text, answer.url.path
        return self.screen
