"""`doorward serve` at work: the console behind a socket.

Rules kept here:
- Without TLS it listens on this computer alone: a password that crosses a network in the clear is everybody's.
- It answers to its own names: those of the addresses it listens at, and those it was told with `--name`.
- Nothing is read from what a proxy might say: who asks is who is connected.
- Whether the certificate and its key fit is found out before it says that it listens.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from provisioning.console.app import app
from provisioning.console.asked import Console
from provisioning.console.lines import MOST, Lines
from provisioning.errors import FleetFault, FleetRefused

PORT = 8443
_BACKLOG = 128
_CLOSING_S = 2
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_HTTPS, _HTTP = 443, 80


@dataclass(frozen=True, slots=True)
class Listening:
    """Where the console listens. `certificate` and `key` are PEM files, both or neither."""

    address: str = "127.0.0.1"
    port: int = PORT
    certificate: Path | None = None
    key: Path | None = None
    names: tuple[str, ...] = ()

    @property
    def secure(self) -> bool:
        """Whether it speaks TLS."""
        return self.certificate is not None

    def refuse(self) -> None:
        """Raise FleetRefused if it would listen where passwords cross a network in the clear."""
        if (self.certificate is None) != (self.key is None):
            msg = "a certificate goes with its key: name both, --cert FILE and --key FILE"
            raise FleetRefused(msg)
        if not self.secure and not _loopback(self.address):
            msg = (
                f"without TLS the console listens on this computer alone, not at {self.address}: passwords would cross "
                "the network for everybody to read; name a certificate with --cert FILE and --key FILE"
            )
            raise FleetRefused(msg)
        if _every(self.address) and not self.names:
            msg = (
                f"at {self.address} the console has no name of its own; say what browsers will call it with --name HOST"
            )
            raise FleetRefused(msg)

    def hosts(self, port: int) -> frozenset[str]:
        """What a browser may call it."""
        names = {*self.names, self.address, *(_LOOPBACK if _loopback(self.address) or _every(self.address) else ())}
        written = {f"[{name}]" if ":" in name else name.lower() for name in names}
        usual = port == (_HTTPS if self.secure else _HTTP)
        return frozenset(f"{name}:{port}" for name in written) | (frozenset(written) if usual else frozenset())

    def context(self) -> ssl.SSLContext | None:
        """Its TLS, None without. Raises FleetRefused."""
        if self.certificate is None or self.key is None:
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            context.load_cert_chain(self.certificate, self.key, password="")
        except (OSError, ValueError) as cause:
            why = getattr(cause, "strerror", None) or "they do not fit each other, or are no PEM files"
            msg = f"the certificate {self.certificate} cannot be used with the key {self.key}: {why}"
            raise FleetRefused(msg) from cause
        return context


def serve(listening: Listening, make: Callable[[frozenset[str]], Console], ready: Callable[[str], None]) -> None:
    """Run the console until it is interrupted. `make` makes it, told its names; `ready` is called with its address.

    Raises FleetRefused or FleetFault.
    """
    listening.refuse()
    context = listening.context()
    with Lines(_bound(listening)) as sock:
        port = sock.getsockname()[1]
        config = uvicorn.Config(
            app(make(listening.hosts(port))),
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=MOST,
            loop="asyncio",  # another one would take calls by itself, past `Lines`
            timeout_graceful_shutdown=_CLOSING_S,
            ssl_context_factory=(lambda _config, _default: context) if context is not None else None,
            ws="none",
        )
        config.load()
        shown = f"[{listening.address}]" if ":" in listening.address else listening.address
        scheme = "https" if listening.secure else "http"
        ready(f"{scheme}://{listening.names[0] if listening.names else shown}:{port}/")
        uvicorn.Server(config).run([sock])


def _bound(listening: Listening) -> socket.socket:
    try:
        found: Sequence[tuple[int, int, int, str, tuple[object, ...]]] = socket.getaddrinfo(
            listening.address, listening.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        family, kind, protocol, _name, address = found[0]
        sock = socket.socket(family, kind, protocol)
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(address)
            sock.listen(_BACKLOG)
        except OSError:
            sock.close()
            raise
    except OSError as cause:
        msg = (
            f"the console cannot listen at {listening.address}, port {listening.port}: {(cause.strerror or '').lower()}"
        )
        raise FleetFault(msg) from cause
    return sock


def _loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"


def _every(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_unspecified
    except ValueError:
        return False
