"""One request, and what its page needs to answer it.

Rules kept here:
- A page gets what was checked, and no way around it: who asks, the form as words, the file that came along.
- Everything a page changes it changes as this user: the acts are noted under their name.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from jinja2 import Environment
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from provisioning.accounts import Accounts
from provisioning.console.listening import Ear
from provisioning.console.live import Live
from provisioning.console.once import Once
from provisioning.console.throttle import Throttle
from provisioning.console.wording import LANGUAGES, Words
from provisioning.errors import FleetRefused
from provisioning.fleet import Fleet
from provisioning.labels import Where
from provisioning.store_pages import SqlPages
from provisioning.store_sql import SqlStore
from provisioning.users import Role, Session

SEE_OTHER = 303


@dataclass(frozen=True, slots=True)
class Console:
    """The program: what all requests share. `secure`: it is reached over TLS. `where` is the broker, None without."""

    fleet: Fleet
    store: SqlStore
    accounts: Accounts
    live: Live
    templates: Environment
    clock: Callable[[], float]
    secure: bool
    hosts: frozenset[str] = frozenset()
    where: Where | None = None
    ear: Ear | None = None
    throttle: Throttle = field(default_factory=Throttle)
    once: Once = field(default_factory=Once)
    signing: threading.Lock = field(default_factory=threading.Lock)

    @property
    def pages(self) -> SqlPages:
        """The fleet a page at a time."""
        return SqlPages(self.store)

    def cookie(self, name: str) -> str:
        """What a cookie is called here; the prefix binds it to this host and to TLS (RFC 6265bis, 4.1.3)."""
        return f"__Host-doorward-{name}" if self.secure else f"doorward-{name}"

    def set_cookie(self, response: Response, name: str, value: str, max_age_s: int | None = None) -> None:
        """Give a browser something to keep that no script reads and no other site sends."""
        response.set_cookie(
            self.cookie(name), value, max_age=max_age_s, path="/", secure=self.secure, httponly=True, samesite="strict"
        )


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that came with a form."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Asked:
    """A request. `token` is what the browser is known by: of its session, or of nobody yet."""

    console: Console
    request: Request
    words: Words
    token: str
    session: Session | None = None
    form: Mapping[str, str] = field(default_factory=dict)
    upload: Upload | None = None

    @property
    def now_unix(self) -> int:
        """Seconds since 1970."""
        return int(self.console.clock())

    @property
    def who(self) -> str:
        """The name of the user. Raises FleetRefused if nobody is signed in."""
        if self.session is None:
            msg = "nobody is signed in"
            raise FleetRefused(msg)
        return self.session.user.name

    @property
    def fleet(self) -> Fleet:
        """The fleet, with acts noted under the user's name."""
        return replace(self.console.fleet, store=replace(self.console.store, who=self.who))

    @property
    def accounts(self) -> Accounts:
        """The accounts, likewise."""
        return self.console.accounts.acting(self.who)

    def may(self, role: Role) -> bool:
        """Whether the user may do what needs `role`."""
        return self.session is not None and self.session.user.role.may(role)

    def query(self, name: str) -> str:
        """What the address says of `name`, "" if nothing; cut to what any of our values has."""
        return self.request.query_params.get(name, "")[:200]

    def field(self, name: str) -> str:
        """What the form says of `name`, without spaces around it."""
        return self.form.get(name, "").strip()

    def number(self, name: str) -> int:
        """What the form says of `name`, as a number. Raises FleetRefused."""
        word = self.field(name)
        if not (word.isascii() and word.isdigit() and len(word) <= 9):  # noqa: PLR2004  # digits of any number here
            msg = f"{word[:40]!r} is no number"
            raise FleetRefused(msg)
        return int(word)

    def page(self, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        """A page from `templates`."""
        known: dict[str, Any] = {
            "t": self.words,
            "language": self.words.language,
            "languages": LANGUAGES,
            "user": self.session.user if self.session else None,
            "may_manage": self.may(Role.MANAGER),
            "may_own": self.may(Role.OWNER),
            "form_token": form_token(self.token),
            "path": self.request.url.path,
            "here": self.request.url.path + (f"?{self.request.url.query}" if self.request.url.query else ""),
            "live": self.console.live,
            "now_unix": self.now_unix,
        }
        text = self.console.templates.get_template(template).render(**known | values)
        return HTMLResponse(text, status)

    def go(self, path: str) -> RedirectResponse:
        """Look at `path` next: what was sent is done, and is not sent again by looking anew."""
        return RedirectResponse(path, SEE_OTHER)


View = Callable[[Asked], Response]


def form_token(token: str) -> str:
    """What each form of a browser with this token holds. No other site can read it, nor find it out."""
    return hashlib.sha256(b"form:" + token.encode("utf-8", "surrogatepass")).hexdigest()


def same(given: str, wanted: str) -> bool:
    """Whether two words are the same, in a time that does not say how far."""
    return secrets.compare_digest(given.encode("utf-8", "surrogatepass"), wanted.encode("utf-8", "surrogatepass"))
