"""A PostgreSQL server of our own: in a folder, on a socket in that folder, ended with whoever wanted it.

Rules kept here:
- It listens on no network, its data lie in a new folder, and both are gone afterwards.
- It is for tests and measurements: what it holds is not waited for (fsync is off) unless that is asked for.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

PATIENCE_S = 60.0
INSTALL = "the package postgresql is not installed"
# Somebody who must bring a password, before the line that lets everybody in.
GUARDED = "local all guarded scram-sha-256\n"


@dataclass(frozen=True, slots=True)
class Server:
    """A server whose socket lies in `folder`."""

    folder: Path

    def url(self, database: str, user: str = "doorward") -> str:
        """The address of a database, as --store takes it."""
        return f"postgresql+psycopg://{user}@/{database}?host={self.folder}"

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        """A connection past the store."""
        return psycopg.connect(host=str(self.folder), user="doorward", dbname=database, autocommit=True)

    def emptied(self) -> str:
        """The database "fleet" without anything in it, and its address."""
        with self.connect() as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = 'fleet'").fetchone():
                self.new_database("fleet")
        with self.connect("fleet") as connection:
            connection.execute("DROP SCHEMA public CASCADE")
            connection.execute("CREATE SCHEMA public")
        return self.url("fleet")

    def new_database(self, name: str) -> str:
        """A new database, and its address."""
        with self.connect() as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
        return self.url(name)


def programs() -> Path | None:
    """Where Debian keeps the newest server's programs; they are not on PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found else None


@contextmanager
def running(*, durable: bool = False) -> Iterator[Server]:
    """A server, as long as it is wanted; `durable`: with fsync, as anybody runs one. Raises RuntimeError without it."""
    where = programs()
    if where is None:
        raise RuntimeError(INSTALL)
    # Not a folder that is root's alone: the server refuses to be root. Short: a socket's path has 107 bytes.
    folder = Path(tempfile.mkdtemp(prefix="doorward-pg-"))
    data = folder / "data"
    whose: dict[str, object] = {}
    if os.getuid() == 0:
        nobody = pwd.getpwnam("nobody")
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        whose = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "cwd": folder, "env": {"LC_ALL": "C"}, **whose}
    making = [where / "initdb", "-D", data, "-U", "doorward", "--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C"]
    subprocess.run(making, check=True, **quiet)  # type: ignore[call-overload] # keywords by name
    rules = data / "pg_hba.conf"
    rules.write_text(GUARDED + rules.read_text())
    settings = (
        "listen_addresses=",
        f"unix_socket_directories={folder}",
        f"fsync={'on' if durable else 'off'}",
        "max_connections=40",
    )
    starting = [where / "postgres", "-D", data, *(part for each in settings for part in ("-c", each))]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(starting, stderr=log, **quiet)  # type: ignore[call-overload] # keywords by name
    try:
        _wait_for(Server(folder), server)
        yield Server(folder)
    finally:
        server.send_signal(signal.SIGQUIT)  # "immediate": what it holds is thrown away with it
        server.wait(PATIENCE_S)
        shutil.rmtree(folder)


def _wait_for(server: Server, process: subprocess.Popen[bytes]) -> None:
    ends = time.monotonic() + PATIENCE_S
    while True:
        try:
            server.connect().close()
            return
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > ends:
                raise
            time.sleep(0.05)
