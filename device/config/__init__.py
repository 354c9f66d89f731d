"""door.toml, and joined.toml beside it, read into one frozen dataclass.

Rules kept here:
- What a door learns when it joins (its id, its manager's key, its broker) stands in joined.toml, written by `doorctl
  join` and nobody else; `device.learned` says when its copy counts instead. A setting that stands in both files with
  two values is refused, not chosen between.
- A face alone opens a real door only as far as attacks were tried on it (`device.tried`): what `load` gives says
  "face+pin" as long as they were not, or as something has changed since. It is never the door that stays shut for it.
- Without an id a door has not joined, and only what drives the bolt or joins may start: `NotJoined`.

`tables` holds every setting with its bounds and its default, `contradictions` what two of them may not say together;
`device.settings` reads one table.
"""

from __future__ import annotations

import dataclasses
import tomllib
from pathlib import Path
from typing import Any, get_type_hints

from device import learned, tried
from device.config.contradictions import refuse_contradictions
from device.config.tables import Config
from device.errors import ConfigRefused, ModelRefused, NotJoined
from device.learned import JOINED
from device.paths import models_dir
from device.settings import named, read_table

_LEARNED = {"door": ("id", "manager_key"), "report": ("broker",)}
_NOBODY = "0" * 16


def parse(text: str, joined: str = "", *, without_id: bool = False) -> Config:
    """The configuration in `text` and joined.toml. Raises ConfigRefused with one sentence for the installer.

    Raises NotJoined if neither names the door; `without_id` takes that, with an empty id.
    """
    tables = _merged(_tables(text, "door.toml"), _tables(joined, JOINED))
    hints = get_type_hints(Config)
    for name in tables:
        if name not in hints:
            msg = f"[{named(name)}] is not a table of door.toml; it knows {', '.join(hints)}"
            raise ConfigRefused(msg)
    door = tables.setdefault("door", {})
    nameless = isinstance(door, dict) and "id" not in door
    if nameless:
        if not without_id:
            msg = "this door has no id and has not joined yet; `doorctl join` reads the label of its manager"
            raise NotJoined(msg)
        door["id"] = _NOBODY
    read: dict[str, Any] = {name: read_table(hints[name], tables[name], name) for name in tables}
    config = Config(**read)
    refuse_contradictions(config)
    return dataclasses.replace(config, door=dataclasses.replace(config.door, id="")) if nameless else config


def load(path: Path, *, without_id: bool = False) -> Config:
    """The configuration in the file `path` and in joined.toml beside it, if there is one. As `parse`.

    Its tier is the one that holds: "face+pin" where door.toml says "face" and `face_alone_waits`.
    """
    config = _as_written(path, without_id=without_id)
    if config.lock.tier == "face" and untried(config, path):
        return dataclasses.replace(config, lock=dataclasses.replace(config.lock, tier="face+pin"))
    return config


def face_alone_asked(path: Path) -> bool:
    """Whether door.toml at `path` wants a face alone to open, whether or not it does. Raises ConfigRefused."""
    return _as_written(path, without_id=True).lock.tier == "face"


def face_alone_waits(path: Path) -> str:
    """Why a face needs the PIN at the door with the door.toml `path` although that says otherwise; empty if not so.

    Raises ConfigRefused.
    """
    config = _as_written(path, without_id=True)
    why = untried(config, path) if config.lock.tier == "face" else ""
    return f"a face needs the PIN although door.toml says otherwise: {why}" if why else ""


def untried(config: Config, path: Path) -> str:
    """Why a face alone may not open the door with `config`, by what was tried on it (`tried`); empty if it may."""
    if config.lock.board == "sim":
        return ""
    try:
        return tried.why_not(tried.read(path), tried_facts(config))
    except ConfigRefused as refusal:
        return str(refusal)


def tried_facts(config: Config) -> tried.Facts | ModelRefused:
    """What a try-out at the door with `config` holds for; the refusal if its networks cannot be named."""
    camera = config.camera
    told = f"{camera.backend} {camera.width_px}x{camera.height_px} {camera.device} {camera.pinned}"
    try:
        return tried.facts(models_dir(), told, config.eye.light_offset_mm)
    except ModelRefused as refusal:
        return refusal


def _as_written(path: Path, *, without_id: bool) -> Config:
    text = learned.text_of(path)
    if text is None:
        msg = f"there is no configuration at {path}; `doorctl setup` makes one"
        raise ConfigRefused(msg)
    return parse(text, learned.read(path).text, without_id=without_id)


def _tables(text: str, file: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as cause:
        msg = f"{file} is no TOML: {cause}"
        raise ConfigRefused(msg) from cause
    except (ValueError, RecursionError) as cause:
        msg = f"{file} holds a number too long to read, or tables nested too deeply"
        raise ConfigRefused(msg) from cause


def _merged(tables: dict[str, Any], joined: dict[str, Any]) -> dict[str, Any]:
    for name, table in joined.items():
        settings = table if isinstance(table, dict) else {"": None}
        for key, value in settings.items():
            if key not in _LEARNED.get(name, ()):
                msg = f"{JOINED} holds [{named(name)}] {named(key)}, which no door learns when it joins"
                raise ConfigRefused(msg)
            stands = tables.setdefault(name, {})
            if isinstance(stands, dict) and stands.setdefault(key, value) != value:
                msg = f"[{name}] {key} is one thing in door.toml and another in {JOINED}; take it out of door.toml"
                raise ConfigRefused(msg)
    return tables
