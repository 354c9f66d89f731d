"""A manager's office: a fleet with an authority, and the two real Mosquittos started from the files doorward writes."""

import json
import os
import pwd
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from click.testing import CliRunner

from provisioning import authority, broker_config, cli
from provisioning.labels import Where
from tests.support.door import COMMANDS
from tests.support.site import HOST, PATIENCE_S
from tools.broker import PROGRAM

PASSPHRASE = "a long passphrase"


@dataclass
class Office:
    """Below `root`: the fleet's folder, the brokers', and the manager's certificate."""

    root: Path
    port: int  # and the two after it, where doors join and where managers approve them
    now_unix: int = field(default_factory=lambda: int(time.time()))
    brokers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    store: str | None = None  # the address of a database, where the fleet is not kept in its folder
    hosts: tuple[str, ...] = (HOST,)  # what doors may call the broker

    @property
    def folder(self) -> Path:
        """The fleet's."""
        return self.root / "fleet"

    @property
    def where(self) -> Where:
        """The broker."""
        return Where(HOST, self.port, self.port + 1)

    @property
    def login(self) -> Path:
        """The manager's certificate."""
        return self.root / "office"

    @property
    def environ(self) -> dict[str, str]:
        """What every command of the manager runs with."""
        return {
            "DOORWARD_FLEET": str(self.folder),
            "DOORWARD_PASSPHRASE": PASSPHRASE,
            "DOORWARD_BROKER": self.where.url,
            "DOORWARD_CLAIM_PORT": str(self.where.claim_port),
            "DOORWARD_CERTIFICATE": str(self.login),
            **({"DOORWARD_STORE": self.store} if self.store is not None else {}),
        }

    def run(self, *words: str, typed: str | None = None) -> tuple[int, dict[str, Any]]:
        """A command of doorward with --json: its exit code, and the object it said."""
        found = CliRunner().invoke(cli.cli, [*words, "--json"], input=typed, env=self.environ)
        assert found.exception is None or isinstance(found.exception, SystemExit), found.exception
        return found.exit_code, json.loads(found.stdout.splitlines()[-1])

    def done(self, *words: str) -> dict[str, Any]:
        """The same; fails the test if it was refused."""
        code, said = self.run(*words)
        assert code == 0, said
        return said

    def begin(self, authority_unix: int) -> None:
        """Make the fleet, its authority (from `authority_unix` on), the brokers' files and managers' certificates."""
        self.done("fleet", "init")
        authority.create(self.folder, PASSPHRASE, authority_unix)
        self.serve()

    def serve(self) -> None:
        """Make the brokers' files and managers' certificates, from the authority as it is now."""
        self.data.mkdir()
        self.configure()
        self.done("ca", "manager", "office", "--out", str(self.login))
        self.done("ca", "manager", "watch", "--out", str(self.root / "watch"))

    def configure(self) -> None:
        """Make the brokers' files."""
        at = ("--at", str(self.files), "--data", str(self.data), "--listen", HOST, "--out", str(self.files))
        ports = ("--port", str(self.port), "--claim-port", str(self.where.claim_port))
        hosts = [word for host in self.hosts for word in ("--host", host)]
        self.done("broker", "config", *hosts, "--manager", "office", "--manager", "watch", *ports, *at)

    @property
    def files(self) -> Path:
        """The brokers'."""
        return self.root / "broker"

    @property
    def data(self) -> Path:
        """Where the broker keeps what it stores."""
        return self.root / "data"

    @property
    def log(self) -> str:
        """What both brokers said."""
        return "".join((self.root / f"{name}.log").read_text(errors="replace") for name in _CONFIGS)

    def start(self) -> None:
        """Return once both brokers listen."""
        if os.geteuid() == 0:
            user = pwd.getpwnam("mosquitto")
            for path in (self.files, *self.files.iterdir(), self.data):
                os.chown(path, user.pw_uid, user.pw_gid)
        for name, port in zip(_CONFIGS, (self.port, self.where.claim_port + 1), strict=True):
            path = self.root / f"{name}.log"
            with path.open("wb") as log:
                self.brokers.append(subprocess.Popen([PROGRAM, "-c", str(self.files / name)], stdout=log, stderr=log))
            ends = time.monotonic() + PATIENCE_S
            while not _listens(port):
                assert time.monotonic() < ends, path.read_text()
                assert self.brokers[-1].poll() is None, path.read_text()
                time.sleep(0.02)

    def stop(self) -> None:
        """End the brokers."""
        for broker in self.brokers:
            broker.terminate()
            broker.wait(PATIENCE_S)
        self.brokers.clear()


_CONFIGS = (broker_config.CONFIG, broker_config.CLAIM_CONFIG)


def _listens(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex((HOST, port)) == 0


@dataclass
class Watching:
    """`doorward watch --json` as a program of its own, with a certificate of its own, and the news it wrote."""

    office: Office
    words: tuple[str, ...] = ()
    process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        environ = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", **self.office.environ}
        environ["DOORWARD_CERTIFICATE"] = str(self.office.root / "watch")
        with self._out.open("wb") as out:
            command = [str(COMMANDS / "doorward"), "watch", "--json", *self.words]
            self.process = subprocess.Popen(command, env=environ, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    @property
    def news(self) -> list[dict[str, Any]]:
        """What it told so far."""
        lines = self._out.read_text().splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.endswith("\n")]

    def until(self, event: str, patience_s: float = 60.0, **facts: Any) -> dict[str, Any]:
        """The first news of this kind with these facts."""
        ends = time.monotonic() + patience_s
        while True:
            for each in self.news:
                if each.get("event") == event and all(each.get(name) == fact for name, fact in facts.items()):
                    return each
            assert time.monotonic() < ends, (event, facts, self._out.read_text(), self.office.log)
            time.sleep(0.05)

    @property
    def _out(self) -> Path:
        return self.office.root / "watch.out"
