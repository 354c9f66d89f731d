"""The pages that show: the start with its code, what is held, the notice, the keys, the export.

Rules kept here:
- Without a sitting nothing is shown but what hangs on the door as well: the notice and the keys, and a code.
- PIN and card come first.
- What is held is asked of the door each time, and kept nowhere.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from device.consent import Terms
from device.desk.page import forms
from device.desk.page.counter import Ended, Face, Held, Phase
from device.desk.page.guard import caller
from device.desk.page.notice import meaning, shown
from device.desk.page.sittings import ROOM
from device.desk.page.view import View
from device.desk.page.words import Words
from device.wire import DoorStatus

ACTS: dict[Face, tuple[str, ...]] = {
    Face.NONE: ("enrol",),
    Face.AWAKE: ("pause", "again", "erase"),
    Face.PAUSED: ("resume", "again", "erase"),
    Face.OTHER_TERMS: ("renew", "erase"),
    Face.ASLEEP: ("erase",),
    Face.UNREADABLE: ("erase",),
}
MOST_SITTINGS = 3  # as vault has it
_NO_TERMS = bytes(16)


@dataclass(frozen=True, slots=True)
class Showing:
    """Answers to GET."""

    view: View

    async def start(self, request: Request) -> Response:
        """The start, or one's own page."""
        sitting = self.view.sitting(request)
        phase = await self.view.phase(sitting)
        if phase is Phase.OPEN:
            return await self._home(request, sitting)
        if "left" in request.query_params:
            return self.view.page(request, "left.html")
        before = self.view.code(sitting)
        given = before if phase is Phase.WAITING else None
        note = "start.renewed" if before else "start.over" if sitting else ""
        if given is None:
            given = await self.view.counter.begin(caller(request.scope))
            if given is None:
                answer = self.view.page(request, "full.html", 503, room=ROOM)
                answer.headers["retry-after"] = "60"
                return answer
            self.view.remember(given)
        answer = self.view.page(request, "start.html", code=given.code, note=note if given is not before else "")
        if given.id != sitting:
            self.view.seated(answer, given.id)
        return answer

    async def phase(self, request: Request) -> Response:
        """Where the sitting stands, for the script."""
        return JSONResponse({"phase": (await self.view.phase(self.view.sitting(request))).name.lower()})

    async def notice(self, request: Request) -> Response:
        """The notice, for everybody."""
        words, terms = self.view.words(request), self.view.site.terms()
        return self.view.page(
            request, "notice.html", notice=shown(terms.notice.text(words.language), words.language), public=True
        )

    async def notice_text(self, request: Request) -> Response:
        """The notice as the text that is hashed."""
        return PlainTextResponse(self.view.site.terms().notice.text(self.view.words(request).language))

    async def keys(self, request: Request) -> Response:
        """What is typed for PIN, cards and codes."""
        return self.view.page(request, "keys.html")

    async def export(self, request: Request) -> Response:
        """Everything held, to be read."""
        held = await self.held(request)
        words = self.view.words(request)
        return self.view.page(
            request,
            "export.html",
            held=held,
            sits=True,
            facts=self.facts(held, words),
            notice=_in_its_words(self.view.site.terms(), words),
        )

    async def export_file(self, request: Request) -> Response:
        """Everything held, for a program."""
        held, words = await self.held(request), self.view.words(request)
        terms = self.view.site.terms()
        has = held.face is not Face.NONE
        told: dict[str, object] = {
            "format": "doorward export 1",
            "face": {
                "state": held.face.name.lower(),
                "enrolled_day": held.enrolled_day if has and held.enrolled_day else None,
                "enrolled_days_since": "1970-01-01",
                "pictures_averaged": held.pictures if has and held.pictures else None,
                "sittings": held.sittings if has and held.sittings else None,
                "declared_under_14": held.under_14 if has else None,
                "enrolled_covered": held.covered if has else None,
                "terms_agreed_to": held.terms.hex() if held.terms != _NO_TERMS else None,
                "terms_in_force": terms.hash[: len(held.terms)].hex(),
            },
            "place_ends_unix": held.place_ends_unix or None,
            **_in_its_words(terms, words),
            "recipients": [],
            "source": words("export.source.you"),
            "automated_decision": words("export.automated.yes"),
            "rights": words("export.rights.are"),
            "history": [],
            "history_why": words("home.history.why"),
            "other_parts": words("home.rest.text"),
        }
        text = json.dumps(told, ensure_ascii=False, indent=2) + "\n"
        headers = {"content-disposition": 'attachment; filename="doorward-export.json"'}
        return Response(text, media_type="application/json", headers=headers)

    async def leave(self, request: Request) -> Response:
        """End the sitting and forget it."""
        sitting = self.view.sitting(request)
        await forms.read(self.view, request)
        await self.view.errands.forget(sitting)
        await self.view.counter.leave(sitting)
        answer = self.view.to("/?left")
        self.view.seated(answer, "")
        return answer

    async def back(self, request: Request) -> Response:
        """The address of a form, asked for without one."""
        return self.view.to("/")

    async def held(self, request: Request) -> Held:
        """What is held of whoever sits there. Raises Ended or Unavailable."""
        sitting = self.view.sitting(request)
        if await self.view.phase(sitting) is not Phase.OPEN:
            raise Ended("nobody sits there")
        return await self.view.counter.held(sitting)

    def facts(self, held: Held, words: Words) -> list[tuple[str, str]]:
        """What is held, fact by fact: name and value."""
        if held.face in (Face.NONE, Face.UNREADABLE):
            return []
        since = words.of_day(held.enrolled_day) if held.enrolled_day else words("held.unknown_day")
        told = [
            (words("held.enrolled"), since),
            (words("held.template"), words("held.template.is")),
            (words("held.pictures"), _pictures(held, words)),
            (words("held.child"), words("held.yes" if held.under_14 else "held.no")),
            (words("held.covered"), words("held.yes" if held.covered else "held.no")),
            (words("held.ends"), words.day(held.place_ends_unix) if held.place_ends_unix else words("held.no_end")),
        ]
        if held.terms != _NO_TERMS:
            told.append((words("held.terms"), held.terms.hex()))
        return told

    async def _home(self, request: Request, sitting: str) -> Response:
        held = await self.view.counter.held(sitting)
        status = await self.view.counter.status()
        under_way = self.view.errands.of(sitting)
        return self.view.page(
            request,
            "home.html",
            held=held,
            sits=True,
            facts=self.facts(held, self.view.words(request)),
            acts=acts_for(held),
            away=away(status),
            running=bool(under_way and under_way.running),
        )


def acts_for(held: Held) -> tuple[str, ...]:
    """What whoever sits there may do, as far as the page knows it: a sitting that vault would refuse is not offered."""
    full = held.sittings >= MOST_SITTINGS
    return tuple(act for act in ACTS[held.face] if not (full and act == "again"))


def _pictures(held: Held, words: Words) -> str:
    if held.sittings > 1:
        return words("held.pictures.sittings", count=held.pictures, sittings=held.sittings)
    return words("held.pictures.of", count=held.pictures)


def _in_its_words(terms: Terms, words: Words) -> dict[str, str]:
    """Purpose and retention as the notice tells them in the language of the page."""
    notice = shown(terms.notice.text(words.language), words.language)
    return {
        "purpose": meaning(notice, words("export.purpose")) or terms.purpose,
        "retention": meaning(notice, words("export.retention")) or terms.retention,
    }


def away(status: DoorStatus | None) -> bool:
    """Whether a part that faces need is missing."""
    return status is None or not (status.eye and status.vault and status.camera_well)
