"""What somebody who sits there can do: agree and enrol, agree anew, let rest, wake, delete, and take the paper along.

Rules kept here:
- Nothing is begun but by a form of this sitting, and then at most one act at a time.
- Nobody agrees by default: nothing is ticked, and "no" is a button as large as "yes" and stands before it. That a face
  is a child's is declared by the guardian, never guessed.
- What is agreed to is what was shown: its hash travels with the form, and another one is asked about again.
- Another sitting is agreed to like the first, of a face that is kept and as that was declared (a child's, covered,
  bare); and only whoever sits there begins it.
- A deletion is asked about twice, and the second question can only be answered after the first.
- What the door signed goes to whoever asked for that act, while they sit there, and is then gone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import segno
from markupsafe import Markup
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from device import attestation
from device.desk.page import forms
from device.desk.page.counter import NO_CONSENT, Ended, Face, Held, Phase
from device.desk.page.errands import Act
from device.desk.page.notice import shown
from device.desk.page.showing import acts_for, away
from device.desk.page.view import View
from device.desk.page.words import Words
from device.errors import AttestationRefused
from device.wire import Hint, Purpose, Result

QUICK_S = 12.0  # a little more than desk gives an act that needs nobody at the door
_MISSING = (
    "changed",
    "missing.whose",
    "missing.how",
    "missing.agree",
)  # what may be wrong with an answer, as the sentences call it
_WHOSE = {"adult": False, "child": True}
_HOW = {"bare": False, "covered": True}
_VERIFY = {Purpose.ENROL: "doorctl consent verify", Purpose.RENEW: "doorctl consent verify"}


@dataclass(frozen=True, slots=True)
class Acting:
    """Answers about acts."""

    view: View

    # ---- consent

    async def consent(self, request: Request) -> Response:
        """The notice, and the question; and what was missing from an answer to it."""
        held, said = await self._held(request), request.query_params
        words, asked, terms = self.view.words(request), _asked(request), self.view.site.terms()
        if asked not in acts_for(held):
            return self.view.to("/")
        return self.view.page(
            request,
            "consent.html",
            held=held,
            sits=True,
            notice=shown(terms.notice.text(words.language), words.language),
            terms=terms.hash.hex(),
            asked=asked,
            missing=[words(f"consent.{key}") for key in _MISSING if key in said.getlist("but")],
            whose=_whose(held) if asked == "again" else said.get("whose", ""),
            how=_how(held) if asked == "again" else said.get("how", ""),
            away=away(await self.view.counter.status()),
        )

    async def agree(self, request: Request) -> Response:
        """The answer to the question: begin, or ask once more for what is missing."""
        sitting = await self._open(request)
        form = await forms.read(self.view, request)
        if form.get("answer") != "yes":
            return self.view.to("/")
        terms, asked = self.view.site.terms(), _asked(request)
        whose, how = form.get("whose", ""), form.get("how", "")
        enrols, first = asked != "renew", asked == "enrol"
        lacks = (False, enrols and whose not in _WHOSE, first and how not in _HOW, form.get("agree") != "yes")
        if form.get("terms") != terms.hash.hex() or (asked == "again" and not await self._fits(sitting, whose, how)):
            lacks = (True, False, False, False)
        if any(lacks):
            again = [("but", key) for key, lack in zip(_MISSING, lacks, strict=True) if lack]
            again += [("whose", whose)] if whose in _WHOSE else []
            again += [("how", how)] if how in _HOW else []
            return self.view.to(f"{request.url.path}?{urlencode(again)}")
        declared = {"under_14": _WHOSE[whose], "covered": _HOW[how], "again": not first} if enrols else {}
        return await self._begin(sitting, Purpose.ENROL if enrols else Purpose.RENEW, terms.hash, **declared)

    # ---- acts without a question, and the deletion with two

    async def pause(self, request: Request) -> Response:
        """Let the face rest."""
        return await self._do(request, Purpose.PAUSE)

    async def resume(self, request: Request) -> Response:
        """Wake it."""
        return await self._do(request, Purpose.RESUME)

    async def ask_erase(self, request: Request) -> Response:
        """The first question."""
        held = await self._held(request)
        strength = self.view.site.strength.sentences(self.view.words(request).language)
        return self.view.page(request, "erase.html", held=held, sits=True, strength=strength)

    async def ask_again(self, request: Request) -> Response:
        """The first was answered: on to the second, by an address that only this answer gives."""
        sitting = await self._open(request)
        await forms.read(self.view, request)
        return self.view.to(f"/face/erase/sure?{urlencode({'sure': self.view.site.token('erase', sitting)})}")

    async def sure(self, request: Request) -> Response:
        """The second question."""
        held, sure = await self._held(request), request.query_params.get("sure", "")
        if held.face is Face.NONE or not self.view.site.fits(sure, "erase", self.view.sitting(request)):
            return self.view.to("/face/erase")
        return self.view.page(request, "erase_sure.html", held=held, sits=True, sure=sure)

    async def erase(self, request: Request) -> Response:
        """Both were answered."""
        return await self._do(request, Purpose.ERASE, second="erase")

    async def _do(self, request: Request, purpose: Purpose, second: str = "") -> Response:
        sitting = await self._open(request)
        form = await forms.read(self.view, request)
        if second and not self.view.site.fits(form.get("sure", ""), second, sitting):
            raise HTTPException(403)
        return await self._begin(sitting, purpose)

    async def _begin(self, sitting: str, purpose: Purpose, consent: bytes = NO_CONSENT, **declared: bool) -> Response:
        act = self.view.errands.begin(sitting, purpose, consent, **declared)
        if act and purpose is not Purpose.ENROL:
            await act.finished(QUICK_S)
        return self.view.to("/act")  # also where another one is under way: it is shown there

    # ---- how it goes

    async def act(self, request: Request) -> Response:
        """What is under way, or how it ended."""
        held = await self._held(request)
        act = self.view.errands.of(self.view.sitting(request))
        if act is None:
            return self.view.to("/")
        words = self.view.words(request)
        common: dict[str, Any] = {
            "held": held,
            "sits": True,
            "act": act,
            "title": words(f"act.title.{'AGAIN' if act.again else act.purpose.name}"),
        }
        if act.running:
            return self.view.page(request, "act.html", hint=_hint(act, words), confirm=_confirms(act), **common)
        text, code = _paper(act)
        return self.view.page(
            request,
            "ended.html",
            sentence=_sentence(act, words),
            well=act.result is Result.DONE,
            paper=words.paper(act.purpose),
            text=text,
            code=Markup(code),  # noqa: S704 - segno's own drawing of letters and digits
            command=_VERIFY.get(act.purpose, "doorctl receipt verify"),
            **common,
        )

    async def step(self, request: Request) -> Response:
        """How far it is, for the script."""
        sitting = self.view.sitting(request)
        act = self.view.errands.of(sitting) if await self.view.phase(sitting) is Phase.OPEN else None
        if act is None or not act.running:
            return JSONResponse({"done": True})
        hint = _hint(act, self.view.words(request))
        return JSONResponse({"done": False, "step": act.step, "hint": hint, "confirm": _confirms(act)})

    async def stop(self, request: Request) -> Response:
        """Its owner does not want it any more."""
        sitting = await self._open(request)
        await forms.read(self.view, request)
        await self.view.errands.stop(sitting)
        return self.view.to("/act")

    async def paper(self, request: Request) -> Response:
        """What the door signed, as a file."""
        act = self.view.errands.of(await self._open(request))
        text = _paper(act)[0] if act else ""
        if not text or act is None:
            raise HTTPException(404)
        name = "receipt" if act.purpose is Purpose.ERASE else "consent"
        headers = {"content-disposition": f'attachment; filename="doorward-{name}.txt"'}
        return PlainTextResponse(text, headers=headers)

    # ---- common

    async def _open(self, request: Request) -> str:
        sitting = self.view.sitting(request)
        if await self.view.phase(sitting) is not Phase.OPEN:
            raise Ended("nobody sits there")
        return sitting

    async def _held(self, request: Request) -> Held:
        return await self.view.counter.held(await self._open(request))

    async def _fits(self, sitting: str, whose: str, how: str) -> bool:
        """Whether a face is kept that another sitting can be added to, of whom and as the form was about."""
        held = await self.view.counter.held(sitting)
        return "again" in acts_for(held) and (_whose(held), _how(held)) == (whose, how)


def _asked(request: Request) -> str:
    """What is agreed to at this address: "enrol", "renew" or "again"."""
    return request.url.path.rpartition("/")[2]


def _whose(held: Held) -> str:
    return "child" if held.under_14 else "adult"


def _how(held: Held) -> str:
    return "covered" if held.covered else "bare"


def _hint(act: Act, words: Words) -> str:
    if act.hint is not None:
        return words.hint(act.hint)
    return words("act.press" if act.purpose is Purpose.ENROL else "act.wait")


def _confirms(act: Act) -> bool:
    return act.hint is Hint.CONFIRM_WITH_PIN


def _sentence(act: Act, words: Words) -> str:
    result = Result.FAULT if act.result is None else act.result
    if act.stopped and result is not Result.DONE:
        return words.stopped(again=act.again)
    return words.ended(act.purpose, result, again=act.again)


def _paper(act: Act) -> tuple[str, str]:
    """What the door signed, as text and as a drawn code; both empty if there is nothing to rely on."""
    try:
        text = attestation.armour(act.paper) if act.paper else ""
    except AttestationRefused:
        text = ""
    if not text:
        return "", ""
    drawn = segno.make(text, error="l", micro=False)
    return text, drawn.svg_inline(scale=3, border=4, dark="#000", light="#fff", omitsize=True)
