"""What Home Assistant has to know to show a door whose owner has signed the profile HOME, by its device discovery.

Rules kept here:
- It shows and never commands: no component has a command topic, so there is no `lock` among them, which would need one.
  "Unlocked" is a binary sensor.
- It depends on the door's id and on the version of its software, and on nothing that ever happened. It is sent once a
  connection and retained; when the choice is taken back, the broker is told to forget it.
- It asks for no message of its own: every component reads what the door says anyway (`state`, `envelope`).
- A template only picks a value out; what is neither of the two words that a component knows changes nothing there.

Form: one JSON object on homeassistant/device/doorward_<door>/config, as Home Assistant's MQTT integration documents its
"device discovery payload" (2024.11 and later). docs/home-assistant.md says what people see of it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from device.report import envelope, state
from device.report.envelope import OFFLINE, ONLINE, Kind
from device.report.retained import Retained
from device.report.teller import Identity

CONFIG_ROW = -3
"""By this number the publisher tells what became of it; rows of the outbox are above 0."""
QOS = 1  # what Home Assistant is to subscribe with: an alarm at QoS 0 could be lost on the way

_WELL: Mapping[str, str] = {
    "lock": "Lock process",
    "camera": "Camera",
    "vault": "Faces",
    "keeper": "PINs and cards",
    "bolt": "Bolt",
    "storage": "Storage",
    "cert": "Certificate",
}
"""Flags of a report that are true while all is well, and what people call what they are about."""

_Component = dict[str, str | int | list[str]]
_DIAGNOSTIC: _Component = {"entity_category": "diagnostic"}
"""Home Assistant lists such a component below the others and hands it to no voice assistant."""


def topic(door: str) -> str:
    """Where Home Assistant looks for devices under its own default prefix."""
    return f"homeassistant/device/doorward_{door}/config"


def encode(me: Identity) -> bytes:
    """The message about the door `me`; two starts of one version say the same bytes."""
    said = {
        "device": {
            "identifiers": [f"doorward_{me.door}"],
            "name": f"Doorward {me.door[:4]}",
            "manufacturer": "Doorward",
            "sw_version": me.software,
        },
        "origin": {"name": "Doorward", "sw_version": me.software},
        "availability_topic": envelope.availability_topic(me.door),
        "payload_available": ONLINE.decode(),
        "payload_not_available": OFFLINE.decode(),
        "components": {
            name: {"unique_id": f"doorward_{me.door}_{name}", "qos": QOS} | each
            for name, each in _components(me.door).items()
        },
    }
    return json.dumps(said, separators=(",", ":")).encode("ascii")


class Announcement(Retained):
    """What the broker should hold for Home Assistant."""

    def __init__(self, me: Identity, *, left: bool = False) -> None:
        super().__init__(left=left)
        self._me = me

    def is_home(self) -> None:
        """Lock says that the profile is HOME."""
        self.want(encode(self._me))


def _components(door: str) -> dict[str, _Component]:
    """Every component by its name, which is unique within the door."""
    live, report = state.topic(door), envelope.topic(Kind.REPORT, door)
    return (
        {
            "open": _binary("Door", live, "door", ("open", "closed"), "door"),
            "unlocked": _binary("Lock", live, "locked", ("False", "True"), "lock"),
            "raised": _event("Alarm raised", envelope.topic(Kind.ALARM, door)),
            "alarm": _binary("Alarm", report, "alarm", ("True", "False"), "problem"),
        }
        | {key: _binary(name, report, key, ("False", "True"), "problem") | _DIAGNOSTIC for key, name in _WELL.items()}
        | {
            "lockout": _binary("Wrong attempts", report, "lockout", ("True", "False"), "problem") | _DIAGNOSTIC,
            "docs": _number("Newest document", report, "docs") | _DIAGNOSTIC,
        }
    )


def _binary(name: str, at: str, key: str, words: tuple[str, str], device_class: str) -> _Component:
    """On and off by the two `words` that `key` is written with; a template writes true as "True"."""
    on, off = words
    return {
        "platform": "binary_sensor",
        "name": name,
        "device_class": device_class,
        "state_topic": at,
        "value_template": f"{{{{ value_json.{key} }}}}",
        "payload_on": on,
        "payload_off": off,
    }


def _event(name: str, at: str) -> _Component:
    """An event holds its type and nothing else: the reason is sealed, and is not for a diary in the house."""
    return {
        "platform": "event",
        "name": name,
        "state_topic": at,
        "event_types": [str(Kind.ALARM)],
        "value_template": '{"event_type": "{{ value_json.kind }}"}',
    }


def _number(name: str, at: str, key: str) -> _Component:
    return {
        "platform": "sensor",
        "name": name,
        "state_topic": at,
        "value_template": f"{{{{ value_json.{key} }}}}",
    }
