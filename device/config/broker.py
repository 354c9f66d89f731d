"""Which broker a door may talk to.

Rules kept here:
- Plain MQTT never crosses a wire: `mqtt://` is for a broker on the same machine. Every other is `mqtts://`: TLS, with a
  certificate for the very name or address that stands there (`device.report.tls`).
- The name `localhost` is never looked up anywhere.
- report alone stays down for a broker that it may not talk to, and no other room: set-up and `doorctl selftest` ask
  here, so that somebody hears of it.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from device.errors import ConfigRefused

DEFAULT_PORTS = {"mqtt": 1883, "mqtts": 8883}  # IANA: mqtt, secure-mqtt


@dataclass(frozen=True, slots=True)
class Broker:
    """Where the broker listens, and whether it speaks TLS there."""

    host: str
    port: int
    tls: bool = False


def parse(url: str) -> Broker | None:
    """The broker in the setting `[report] broker`; None if it is empty. Raises ConfigRefused."""
    if not url:
        return None
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as cause:
        raise _malformed(url) from cause
    bare = not (parts.path or parts.query or parts.fragment or "@" in parts.netloc)
    if parts.scheme not in DEFAULT_PORTS or not host or port == 0 or not bare:
        raise _malformed(url)
    tls = parts.scheme == "mqtts"
    if host == "localhost":
        host = "127.0.0.1"
    if not tls and not _loopback(host):
        msg = f"[report] broker {host} is another machine; without TLS the door talks only to a broker on its own"
        raise ConfigRefused(msg)
    return Broker(host, DEFAULT_PORTS[parts.scheme] if port is None else port, tls)


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _malformed(url: str) -> ConfigRefused:
    return ConfigRefused(f'[report] broker must be "mqtts://HOST:PORT" or "mqtt://HOST:PORT", not {url!r}')
