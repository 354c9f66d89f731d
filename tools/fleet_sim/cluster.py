"""Three nodes of RabbitMQ 4 in a folder with Debian 13, one of which is killed in the middle.

Rules kept here:
- `prepare` makes the folder once (debootstrap and apt); whatever was put there by hand is not touched.
- Every node is a process group of its own, ended by its number; Erlang's port mapper is ours alone, on its own port.
- Everything that waits for somebody is kept by a majority (`mqtt.durable_queue_type = quorum`), or a killed node
  would take it along.
- Plain MQTT on loopback, as the subject is what a cluster loses; doors know all three addresses, as they would from a
  name with three, and try the next one after each failure (`socket.create_connection` does the same). They and whoever
  listens begin at the first node, which is the one to die: the worst case.
"""

from __future__ import annotations

import os
import shutil
import signal
import ssl
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from device.errors import BrokerFault
from device.report.broker import Broker
from tools.fleet_sim.server import HOST, Usage, free_port, listens, usage_of

NODES = 3
SUITE = "trixie"
_SERVER = "/usr/lib/rabbitmq/bin/rabbitmq-server"
_STARTS_WITHIN_S = 240.0
_EPMD_PORT = 24369
_EPMD_WITHIN_S = 10.0
_QUIET = "#!/bin/sh\nexit 101\n"  # policy-rc.d: no service is started in there

_CONFIG = """\
listeners.tcp.1 = {host}:{amqp}
mqtt.listeners.tcp.1 = {host}:{mqtt}
mqtt.durable_queue_type = quorum
cluster_name = fleet
cluster_formation.peer_discovery_backend = classic_config
{peers}
log.console = true
log.console.level = warning
log.file = false
"""


def prepare(root: Path) -> None:
    """Make `root` a small Debian 13 with RabbitMQ in it, unless it is one. Raises BrokerFault; takes minutes."""
    if (root / _SERVER[1:]).exists():
        return
    if shutil.which("debootstrap") is None or os.geteuid() != 0:
        raise BrokerFault("three nodes of RabbitMQ need debootstrap, and root to run it")
    _must("debootstrap", "--variant=minbase", SUITE, str(root))  # its own idea of where Debian is
    policy = root / "usr/sbin/policy-rc.d"
    policy.write_text(_QUIET)
    policy.chmod(0o755)
    shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")
    shutil.copy("/etc/hosts", root / "etc/hosts")
    install = "apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends"
    _must("chroot", str(root), "sh", "-c", f"{install} rabbitmq-server")


@dataclass
class Node:
    """One node: its number, its ports, its process."""

    number: int
    mqtt: int = field(default_factory=free_port)
    amqp: int = field(default_factory=free_port)
    dist: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def name(self) -> str:
        """As Erlang knows it."""
        return f"fleet{self.number}@localhost"


@dataclass
class Cluster:
    """What `server.Server` is, made of three nodes in the Debian below `root`; the first one is killed or stopped."""

    root: Path
    folder: Path
    nodes: list[Node] = field(default_factory=list)

    @property
    def where(self) -> tuple[Broker, ...]:
        """What doors connect to."""
        return tuple(Broker(HOST, node.mqtt) for node in self.nodes)

    def prepare(self, doors: list[str]) -> Path | None:
        """Write every node's files; there are no certificates."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._inside().mkdir(parents=True)
        for number in range(NODES):
            self.nodes.append(Node(number))
        peers = "\n".join(
            f"cluster_formation.classic_config.nodes.{node.number + 1} = {node.name}" for node in self.nodes
        )
        for node in self.nodes:
            folder = self._inside() / str(node.number)
            folder.mkdir()
            text = _CONFIG.format(host=HOST, amqp=node.amqp, mqtt=node.mqtt, peers=peers)
            (folder / "rabbitmq.conf").write_text(text)
            (folder / "enabled_plugins").write_text("[rabbitmq_mqtt].\n")
        _must("chroot", str(self.root), "chown", "-R", "rabbitmq:", f"/{self._inside().relative_to(self.root)}")
        return None

    def listener_context(self) -> ssl.SSLContext | None:
        """There is no TLS."""
        return None

    def start(self) -> None:
        """Start the nodes that do not run; returns once all take connections. Raises BrokerFault."""
        for node in self.nodes:
            if node.process is None:
                self._start(node)
        ends_s = time.monotonic() + _STARTS_WITHIN_S
        for node in self.nodes:
            while not listens(node.mqtt):
                ended = node.process is None or node.process.poll() is not None
                if ended or time.monotonic() > ends_s:
                    message = f"node {node.number} of the cluster did not start: {self._log(node)[-2000:]}"
                    raise BrokerFault(message)
                time.sleep(0.2)

    def stop(self, *, kill: bool = False) -> None:
        """End the first node, and nothing else."""
        self._end(self.nodes[0], signal.SIGKILL if kill else signal.SIGTERM)

    def end(self) -> None:
        """End all of them, and the port mapper."""
        for node in self.nodes:
            self._end(node, signal.SIGKILL)
        # It refuses while it still believes in a node that has just been killed.
        ends_s = time.monotonic() + _EPMD_WITHIN_S
        while listens(_EPMD_PORT) and time.monotonic() < ends_s:
            command = ["chroot", str(self.root), "epmd", "-port", str(_EPMD_PORT), "-kill"]
            subprocess.run(command, capture_output=True, check=False)
            time.sleep(0.2)
        shutil.rmtree(self._inside(), ignore_errors=True)

    def usage(self) -> Usage:
        """What the nodes use together."""
        each = [usage_of(_machine_of(node.process.pid)) for node in self.nodes if node.process is not None]
        return Usage(sum(one.resident_bytes for one in each), sum(one.cpu_s for one in each))

    def _inside(self) -> Path:
        return self.root / "var/lib/rabbitmq" / self.folder.name

    def _log(self, node: Node) -> str:
        return (self.folder / f"node-{node.number}.log").read_text(errors="replace")

    def _start(self, node: Node) -> None:
        inside = f"/{(self._inside() / str(node.number)).relative_to(self.root)}"
        environ = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": "/var/lib/rabbitmq",
            "LANG": "C.UTF-8",
            "ERL_EPMD_PORT": str(_EPMD_PORT),
            "ERL_EPMD_ADDRESS": HOST,
            "RABBITMQ_NODENAME": node.name,
            "RABBITMQ_DIST_PORT": str(node.dist),
            "RABBITMQ_CONFIG_FILE": f"{inside}/rabbitmq.conf",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{inside}/enabled_plugins",
            "RABBITMQ_MNESIA_BASE": f"{inside}/data",
            "RABBITMQ_LOG_BASE": f"{inside}/log",
            "RABBITMQ_PID_FILE": f"{inside}/pid",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 +sbwt none",  # three nodes share a small machine
        }
        with (self.folder / f"node-{node.number}.log").open("ab") as log:
            node.process = subprocess.Popen(
                ["chroot", "--userspec=rabbitmq:rabbitmq", str(self.root), _SERVER],
                env=environ,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _end(self, node: Node, number: signal.Signals) -> None:
        if node.process is None:
            return
        os.killpg(node.process.pid, number)
        try:
            node.process.wait(60.0)
        except subprocess.TimeoutExpired:
            os.killpg(node.process.pid, signal.SIGKILL)
            node.process.wait()
        node.process = None


def _machine_of(pid: int) -> int:
    """The Erlang machine below the script that started it (proc(5): /proc/PID/task/TID/children)."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return pid
    return _machine_of(int(children[0])) if children and "beam" not in _command(pid) else pid


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text()
    except OSError:
        return "beam"


def _must(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        message = f"{command[0]} failed: {(done.stderr or done.stdout)[-500:]}"
        raise BrokerFault(message)
