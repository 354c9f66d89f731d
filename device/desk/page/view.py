"""How an answer of the page is made: in whose language, for which sitting, with which tokens.

Rules kept here:
- Every text is escaped by the templates; what is missing in one is an error and no empty place.
- The cookie is a sitting's whole secret: __Host-, Secure, HttpOnly, SameSite=Strict, and gone with the browser. It is
  never read from anywhere else, and what does not look like one is none.
- What is shown of an open sitting leaves the screen when the sitting ends, with JavaScript or without.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Scope

from device.consent import LANGUAGES
from device.desk.page.counter import Counter, Held, Phase, Sitting
from device.desk.page.errands import Errands
from device.desk.page.site import Site
from device.desk.page.words import NAMES, TAGS, Words, wanted

COOKIE = "__Host-sitting"
LANGUAGE = "__Host-language"
MOST_CODES = 64
MOST_SITTERS = 8
_HERE = Path(__file__).parent
_ID = re.compile(r"[A-Za-z0-9_-]{43}")
_KINDS = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
_LANGUAGE_AGE_S = 31_536_000


@dataclass(slots=True)
class View:
    """What all pages share."""

    counter: Counter
    site: Site
    errands: Errands
    now_s: Callable[[], float] = time.monotonic
    _codes: dict[str, Sitting] = field(default_factory=dict)
    _sitters: dict[str, None] = field(default_factory=dict)  # who sat when they asked last, newest last
    _static: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    _templates: Environment = field(init=False)

    def __post_init__(self) -> None:
        loader = FileSystemLoader(_HERE / "templates")
        self._templates = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, auto_reload=False)
        for path in sorted((_HERE / "static").iterdir()):
            self._static[path.name] = (_KINDS[path.suffix], path.read_bytes())
        self._templates.globals["static"] = self._versioned
        self._templates.filters["typed"] = _typed

    # ---- who asks

    def sitting(self, request: Request) -> str:
        """The sitting's id in the cookie; empty if there is none that could be one."""
        said = request.cookies.get(COOKIE, "")
        return said if _ID.fullmatch(said) else ""

    async def phase(self, sitting: str) -> Phase:
        """Where it stands."""
        if not sitting:
            return Phase.ENDED
        found = await self.counter.phase(sitting)
        self._sitters.pop(sitting, None)
        if found is Phase.OPEN:
            self._codes.pop(sitting, None)
            self._sitters = dict.fromkeys([*list(self._sitters)[1 - MOST_SITTERS :], sitting])
        return found

    def sitter(self, scope: Scope) -> str:
        """The sitting that asks, if it was open when it asked last; else empty."""
        sitting = self.sitting(Request(scope))
        return sitting if sitting in self._sitters else ""

    def code(self, sitting: str) -> Sitting | None:
        """The code this browser was given last; it may be too old."""
        return self._codes.get(sitting)

    def remember(self, sitting: Sitting) -> None:
        """Show its code again when the browser comes back."""
        self._codes = {each.id: each for each in [*self._codes.values(), sitting][-MOST_CODES:]}

    def words(self, request: Request) -> Words:
        """The sentences in the language this browser wants."""
        for said in (request.query_params.get("lang", ""), request.cookies.get(LANGUAGE, "")):
            if said in LANGUAGES:
                return Words(said)
        return Words(wanted(request.headers.get("accept-language", "")))

    # ---- what is answered

    def page(self, request: Request, template: str, status: int = 200, **shown: Any) -> Response:
        """The page `template`, for this browser."""
        words, sitting = self.words(request), self.sitting(request)
        held: Held | None = shown.get("held")
        html = self._templates.get_template(template).render(
            {
                "t": words,
                "tag": TAGS[words.language],
                "languages": [(name, tag, TAGS[name]) for name, tag in NAMES.items() if name != words.language],
                "path": "/" + request.url.path.lstrip("/"),  # two strokes would lead to whoever stands behind them
                "token": self.site.token("form", sitting) if sitting else "",
                "contact": self.site.contact,
                "sits": False,
                "minutes": self._minutes(held),
                **shown,
            }
        )
        answer = HTMLResponse(html, status, headers={"content-language": TAGS[words.language]})
        if held:
            # With JavaScript or without: what is shown of somebody does not stay on the screen.
            answer.headers["refresh"] = f"{max(1, int(held.ends_s - self.now_s()) + 1)}; url=/"
        return self._speaking(request, answer)

    def to(self, path: str) -> Response:
        """Go there instead (after a form: never sent twice by the back button)."""
        return RedirectResponse(path, 303)

    def error(self, request: Request, status: int, key: str = "") -> Response:
        """A refusal with its one sentence."""
        words = self.words(request)
        answer = self.page(request, "error.html", status, sentence=words(key or f"error.{status}"))
        if status in (429, 503):
            answer.headers["retry-after"] = "5"
        return answer

    def refused(self, scope: Scope, status: int) -> ASGIApp:
        """The answer to what the guard does not let pass."""
        return self.error(Request(scope), status, "error.closed" if status == 503 else "")  # noqa: PLR2004 - HTTP's own

    def static(self, request: Request) -> Response:
        """A file of ours, by its name."""
        found = self._static.get(request.path_params["name"])
        return Response(found[1], media_type=found[0]) if found else self.error(request, 404)

    def seated(self, answer: Response, sitting: str) -> None:
        """Give the browser its cookie; an empty one takes it away."""
        if sitting:
            answer.set_cookie(COOKIE, sitting, path="/", secure=True, httponly=True, samesite="strict")
        else:
            answer.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="strict")

    def _minutes(self, held: Held | None) -> int:
        return max(1, round((held.ends_s - self.now_s()) / 60)) if held else 0

    def _speaking(self, request: Request, answer: Response) -> Response:
        said = request.query_params.get("lang", "")
        if said in LANGUAGES:
            answer.set_cookie(
                LANGUAGE, said, max_age=_LANGUAGE_AGE_S, path="/", secure=True, httponly=True, samesite="strict"
            )
        return answer

    def _versioned(self, name: str) -> str:
        return f"/static/{name}?{hashlib.sha256(self._static[name][1]).hexdigest()[:12]}"


def _typed(keys: str) -> list[list[tuple[str, bool]]]:
    """What is typed, in groups that end with #, thing by thing; true for what stands on the keypad as it is written."""
    groups: list[list[tuple[str, bool]]] = [[]]
    for word in keys.split(" "):
        groups[-1].append((word, bool(re.fullmatch(r"[0-9#*]+", word))))
        if word == "#":
            groups.append([])
    return [group for group in groups if group]
