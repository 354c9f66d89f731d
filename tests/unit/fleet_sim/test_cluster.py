"""What the three nodes of a cluster are given, and whose processes are ended; no RabbitMQ is needed for either."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from device.errors import BrokerFault
from tools.fleet_sim import cluster
from tools.fleet_sim.cluster import NODES, Cluster, Node
from tools.fleet_sim.server import HOST


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    monkeypatch.setattr(cluster, "_must", lambda *_command: None)  # chown in there
    made = Cluster(tmp_path / "debian", tmp_path / "run")
    made.prepare(["a door"])
    return made


def settings(made: Cluster, number: int) -> dict[str, str]:
    """rabbitmq.conf: one `key = value` a line."""
    lines = (made._inside() / str(number) / "rabbitmq.conf").read_text().splitlines()
    pairs = [line.split(" = ") for line in lines]
    assert all(len(pair) == 2 for pair in pairs)
    assert len({key for key, _ in pairs}) == len(pairs), "each said once"
    return dict(pairs)


def test_every_node_has_ports_of_its_own_on_loopback_and_knows_all_three(made: Cluster) -> None:
    ports: list[str] = []
    for node in made.nodes:
        said = settings(made, node.number)
        ports += [said["listeners.tcp.1"], said["mqtt.listeners.tcp.1"], f"{HOST}:{node.dist}"]
        peers = {value for key, value in said.items() if "classic_config.nodes" in key}
        assert peers == {each.name for each in made.nodes}
    assert len(set(ports)) == 3 * NODES
    assert all(re.fullmatch(rf"{re.escape(HOST)}:\d+", port) for port in ports)
    assert [f"{HOST}:{broker.port}" for broker in made.where] == ports[1::3]


def test_what_waits_is_kept_by_a_majority_and_mqtt_is_switched_on(made: Cluster) -> None:
    for node in made.nodes:
        assert settings(made, node.number)["mqtt.durable_queue_type"] == "quorum"
        plugins = (made._inside() / str(node.number) / "enabled_plugins").read_text()
        assert re.fullmatch(r"\[rabbitmq_mqtt\]\.\n", plugins), "one Erlang term"


def test_a_folder_that_has_it_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = tmp_path / cluster._SERVER[1:]
    server.parent.mkdir(parents=True)
    server.write_text("by hand")
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    cluster.prepare(tmp_path)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [server]
    assert server.read_text() == "by hand"


@pytest.mark.parametrize(("program", "user"), [(None, 0), ("/usr/sbin/debootstrap", 1000)])
def test_without_debootstrap_or_root_nothing_is_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str | None, user: int
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name: program)
    monkeypatch.setattr(cluster.os, "geteuid", lambda: user)  # type: ignore[attr-defined]  # the module's own os
    with pytest.raises(BrokerFault, match="debootstrap, and root"):
        cluster.prepare(tmp_path / "debian")
    assert not (tmp_path / "debian").exists()


def test_a_step_that_fails_is_told_with_its_last_words() -> None:
    with pytest.raises(BrokerFault, match="sh failed: no room"):
        cluster._must("sh", "-c", "echo no room >&2; exit 3")


@pytest.fixture
def running(made: Cluster) -> Iterator[Cluster]:
    """A process for each node that waits for its end."""
    for node in made.nodes:
        node.process = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
    handles = [node.process for node in made.nodes]
    yield made
    for process in handles:
        if process is not None:
            process.kill()
            process.communicate()


@pytest.mark.parametrize("kill", [True, False])
def test_the_first_node_is_ended_and_no_other(running: Cluster, *, kill: bool) -> None:
    first = running.nodes[0].process
    assert first is not None
    running.stop(kill=kill)
    assert first.returncode == (-9 if kill else -15)
    assert [node.process is None or node.process.poll() is None for node in running.nodes] == [True] * NODES
    assert [node.process is None for node in running.nodes] == [True, False, False]
    running.stop(kill=kill)  # a second time there is nobody to end
    assert [node.process is None for node in running.nodes] == [True, False, False]


def test_a_node_that_does_not_start_is_told_with_its_log(running: Cluster) -> None:
    running.stop(kill=True)
    dead = running.nodes[0]
    dead.process = subprocess.Popen(["true"], start_new_session=True)
    dead.process.wait()
    (running.folder / "node-0.log").write_text("the port is taken")
    with pytest.raises(BrokerFault, match="node 0 of the cluster did not start: the port is taken"):
        running.start()


def test_what_is_measured_is_the_machine_below_the_script_that_started_it() -> None:
    with subprocess.Popen(["sh", "-c", "cat; :"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as script:
        assert script.stdin is not None
        assert script.stdout is not None
        script.stdin.write(b"there\n")
        script.stdin.flush()
        script.stdout.readline()  # so the child runs
        machine = cluster._machine_of(script.pid)
        assert machine != script.pid
        assert Path(f"/proc/{machine}/comm").read_text() == "cat\n"
        script.stdin.close()
    assert cluster._machine_of(script.pid) == script.pid, "gone: nobody below it is asked any more"


def test_two_nodes_share_no_name() -> None:
    assert len({Node(number, 1, 2, 3).name for number in range(NODES)}) == NODES
