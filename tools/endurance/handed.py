"""Parsers of what people hand in: files held up before the simulated camera, the page's forms, lists of doors.

Rules kept here:
- A file that is held up comes twice: as it lies on the disk, and changed inside and then packed anew, so that what
  stands behind the archive's sums is reached as well.
- To refuse such a file takes MOST_BYTES at most, whatever it says of itself, and one sentence that names it.
- A form is taken only with the token of its sitting and each field once; of a list no row that a spreadsheet would
  run. Both are judged by code of this module, and not by the parser's own.
"""

from __future__ import annotations

import io
import tracemalloc
import zipfile
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qsl, urlencode

import numpy as np
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message

from device.desk.page import forms
from device.desk.page.counter import Counter
from device.desk.page.errands import Errands
from device.desk.page.guard import FORM, MOST_BODY
from device.desk.page.site import Site
from device.desk.page.view import COOKIE, View
from device.errors import ConfigRefused, PictureRefused
from device.eye.basis import Basis, read_basis
from device.strength import KeyPlace, describe
from provisioning.console import sheets_csv
from provisioning.errors import FleetRefused
from tools.endurance.fuzz import Target, Wrong
from tools.endurance.scratch import Scratch

MOST_BYTES = 1 << 20
_NAMES = ("ambient", "left", "right")
_SHAPE = (6, 8, 3)
_SITTING = "s" * 43
_MOST_FIELDS = 8

Read = Callable[[Path, int, int], Basis]


def handed(folder: Path) -> tuple[Target, ...]:
    """All of them; `folder` is theirs to write in."""
    return (
        *held_up(folder, read_basis),
        Target("form of the page", _forms(), _form(_site()), (HTTPException,)),
        Target("list of doors", _LISTS, _list, (FleetRefused,)),
    )


# ---- what is held up


def held_up(folder: Path, read: Read) -> tuple[Target, ...]:
    """Both ways in which a file reaches `read`."""
    feed, arrays = _held_up(folder, read), tuple(_array(each) for each in _pictures().values())
    return (
        Target("held-up file", _archives(), feed, (PictureRefused,)),
        Target("held-up file, packed anew", (*arrays, *_others()), lambda data: feed(_packed(data)), (PictureRefused,)),
    )


def _held_up(folder: Path, read: Read) -> Callable[[bytes], bool]:
    file = Scratch(folder / "held.npz")

    def feed(data: bytes) -> bool:
        file.put(data)
        tracemalloc.start()
        try:
            basis = read(file.path, _SHAPE[1], _SHAPE[0])
        except PictureRefused as refused:
            if file.path.name not in str(refused) or len(str(refused).splitlines()) != 1:
                raise Wrong("refused in other than one sentence that names the file") from None
            raise
        finally:
            most = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            if most > MOST_BYTES + len(data):
                raise Wrong(f"took {most} bytes of memory for a file of {len(data)}")
        if any(
            (each.shape, each.dtype) != (_SHAPE, np.dtype(np.uint16))
            for each in (basis.ambient, basis.left, basis.right)
        ):
            raise Wrong("took pictures of another size or kind")
        return True

    return feed


def _pictures() -> dict[str, np.ndarray[Any, np.dtype[np.uint16]]]:
    return {name: np.full(_SHAPE, value, np.uint16) for name, value in zip(_NAMES, (9000, 700, 800), strict=True)}


def _archives() -> tuple[bytes, ...]:
    """As numpy writes them, and as an archive may be packed otherwise."""
    made = []
    for save in (np.savez, np.savez_compressed):
        whole = io.BytesIO()
        save(whole, **_pictures())
        made.append(whole.getvalue())
    array = _array(_pictures()["left"])
    return (*made, _packed(array, zipfile.ZIP_LZMA), _packed(array, zipfile.ZIP_BZIP2))


def _array(array: np.ndarray[Any, np.dtype[Any]]) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def _others() -> tuple[bytes, ...]:
    """Arrays of other kinds, one of objects, which numpy pickles; and shapes far beyond their numbers."""
    kinds: tuple[type, ...] = (np.uint8, np.float64, object)
    plain = _array(_pictures()["left"])
    wide = tuple(plain.replace(b"(6, 8, 3)", shape) for shape in (b"(3000, 3000, 3)", b"(-1, 8, 3)"))
    return (*(_array(np.ones(_SHAPE, kind)) for kind in kinds), *wide)


def _packed(content: bytes, packing: int = zipfile.ZIP_STORED) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", packing) as archive:
        for name in _NAMES:
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), content, packing)  # of no time: the same in every run
    return whole.getvalue()


# ---- forms


def _site() -> Site:
    def terms() -> Any:
        raise ConfigRefused("no form asks for the terms")

    return Site("", "", terms, describe(next(iter(KeyPlace))), bytes(32))


def _forms() -> tuple[bytes, ...]:
    token = {"token": _site().token("form", _SITTING)}
    bodies = (token, token | {"agreed": "yes", "under_14": "no"}, {"said": "\u95e8 & = ;"} | token)
    plain = [urlencode(body).encode() for body in bodies]
    return (*plain, plain[0] + b"&" + plain[0], plain[0] + b"&a&b&c&d&e&f&g=")


def _form(site: Site) -> Callable[[bytes], bool]:
    # A form is read without counter and errands; both are what a page does with it afterwards.
    view = View(cast("Counter", None), site, cast("Errands", None))
    token = site.token("form", _SITTING)
    headers = [(b"content-type", FORM.encode()), (b"cookie", f"{COOKIE}={_SITTING}".encode())]
    scope = {"type": "http", "method": "POST", "path": "/", "headers": headers, "app": None}

    def feed(data: bytes) -> bool:
        body = data[:MOST_BODY]  # more does not pass the guard
        pieces = [body[: len(body) // 2], body[len(body) // 2 :]]

        async def receive() -> Message:
            return {"type": "http.request", "body": pieces.pop(0), "more_body": bool(pieces)}

        fields = _at_once(forms.read(view, Request(dict(scope), receive)))
        names = [name for name, _value in parse_qsl(body.decode("latin-1"), keep_blank_values=True)]
        if fields.get("token") != token or len(fields) > _MOST_FIELDS or len(names) != len(set(names)):
            raise Wrong("took a form without its token, with a field twice, or with too many")
        return True

    return feed


def _at_once(reading: Coroutine[Any, Any, dict[str, str]]) -> dict[str, str]:
    """Without a loop: all that is waited for is there."""
    try:
        reading.send(None)
    except StopIteration as ended:
        return cast("dict[str, str]", ended.value)
    raise Wrong("waited for something else than the form")


# ---- lists of doors

_LISTS = (
    b"name,building,floor\nhouse-1,North,3\nhouse-2,North,-1\n",
    '\ufeffname,floor,building\r\n\u5357\u95e8,2,\u4e00\u53f7\u697c\r\n"a, ""b""",,South\r\n'.encode(),
    b"Name , Floor\n'=1+1,EG\n=1+1,EG\nhouse-1\nhouse-1\n",
)


def _list(data: bytes) -> bool:
    """A row that can be has one name, nobody else's, and no cell that runs; what is sent once more is read the same."""
    found = sheets_csv.read(data, ("house-2",))
    good = [row.placed for row in found.rows if not row.why]
    if len({placed.name for placed in good} | {"house-2", ""}) != len(good) + 2:
        raise Wrong("took a door without a name, or two of one name")
    for placed in good:
        cells = (placed.name, placed.building, "" if _is_number(placed.floor) else placed.floor)
        if any(cell.startswith(("=", "+", "-", "@")) or not cell.isprintable() for cell in cells):
            raise Wrong("took a cell that a spreadsheet would run, or that cannot be shown")
    if sheets_csv.read(found.text.encode(), ("house-2",)).rows != found.rows:
        raise Wrong("read other doors from what it had shown")
    return bool(good)


def _is_number(cell: str) -> bool:
    digits = cell[1:] if cell[:1] in {"+", "-"} else cell
    return digits.isascii() and digits.isdigit()
