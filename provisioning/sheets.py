"""A label on paper and on the screen: a QR code, the same as text, and what it is for.

Rules kept here:
- The sheet says what whoever holds it could do, and until when. It names the door, and nobody who lives there.
- A sheet is written for its owner alone, and replaces nothing.
- The code is drawn with error correction M: 15 % of it may be dirt (ISO/IEC 18004).
"""

from __future__ import annotations

import html
import io
from pathlib import Path

import segno
from segno import QRCode

from device.joining import HOUR_S, Label
from provisioning import files, moments
from provisioning.errors import FleetRefused

_KINDS = (".svg", ".png", ".html")
_LINE = 64  # characters of the text in a row
_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<title>Label of {name}</title>
<style>body {{ font: 12pt sans-serif; margin: 2cm; max-width: 17cm }} svg {{ width: 11cm; height: 11cm }}
pre {{ font-size: 9pt }}</style>
<h1>{name}</h1>
{svg}
<p>This label lets the door <b>{name}</b> join its fleet. At the door, somebody runs <code>doorctl join</code> and scans
the code or types the text below it, then reads a fingerprint out to the manager.</p>
<p><b>Good until {ends}, and once.</b> Until it is used or revoked, whoever has it could put a door of their own in this
door's place. Keep it out of sight; if it is lost, tell the manager, who runs <code>doorward label revoke</code>. Once
the door has joined, it is waste paper.</p>
<pre>{text}</pre>
"""


def ends_unix(label: Label) -> int:
    """When a label ends, seconds since 1970."""
    return label.expires_hour * HOUR_S


def terminal(label: Label) -> str:
    """The code for a terminal."""
    drawn = io.StringIO()
    _code(label).terminal(drawn, compact=True)
    return drawn.getvalue()


def drawing(label: Label) -> str:
    """The code as an SVG element for a page, in black on white whatever the page's colours are."""
    return str(_code(label).svg_inline(border=4, omitsize=True, light="#fff"))


def rows(label: Label) -> list[str]:
    """The text of a label in rows that fit a page."""
    text = label.text()
    return [text[at : at + _LINE] for at in range(0, len(text), _LINE)]


def refuse_unwritable(path: Path) -> None:
    """Raise FleetRefused if there can be no new sheet at `path`."""
    if path.suffix.lower() not in _KINDS:
        msg = f"a sheet is a file that ends in {', '.join(_KINDS[:-1])} or {_KINDS[-1]}, and {path.name} is none"
        raise FleetRefused(msg)
    if path.exists() or not path.parent.is_dir():
        why = "exists already and is not replaced" if path.exists() else "lies in a folder that is not there"
        msg = f"{path} {why}, so nothing was done"
        raise FleetRefused(msg)


def write(path: Path, name: str, label: Label) -> None:
    """The sheet of the door `name`; .html has the explanation, .svg and .png are the code alone.

    Raises FleetRefused or FleetFault.
    """
    code, drawn = _code(label), io.BytesIO()
    match path.suffix.lower():
        case ".png":
            code.save(drawn, kind="png", scale=6, border=4)
        case ".svg":
            code.save(drawn, kind="svg", scale=2, border=4)
        case _:
            text = "\n".join(rows(label))
            ends = moments.minute(ends_unix(label))
            svg = code.svg_inline(border=4, omitsize=True)
            drawn.write(_PAGE.format(name=html.escape(name), svg=svg, ends=ends, text=text).encode())
    files.create(path, drawn.getvalue())


def _code(label: Label) -> QRCode:
    return segno.make_qr(label.text(), error="m", boost_error=False)
