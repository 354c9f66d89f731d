"""The package from its installation to its purge, on a Debian of its own."""

from tests.support.package_root import Root
from tests.system.package.conftest import Made
from tools.vm.image import BROUGHT

ROOMS = ("eye", "vault", "keeper", "lock", "report", "desk")
# Libraries come without what no program of a door loads (tools/deb/wheels.py).
LOAD_ALL = """
import importlib, pkgutil, device
names = [each.name for each in pkgutil.walk_packages(device.__path__, "device.")]
for name in names:
    importlib.import_module(name)
print(len(names))
"""


def test_installation_makes_users_and_folders_and_no_settings(root: Root) -> None:
    users = root.path("/etc/passwd").read_text()
    for room in ROOMS:
        assert f"doorward-{room}:" in users
    for room in ("vault", "keeper", "lock"):
        folder = root.path(f"/var/lib/doorward/{room}")
        assert folder.stat().st_mode & 0o777 == 0o700
        assert folder.stat().st_uid != 0
    assert not root.path("/etc/doorward/door.toml").exists()
    ended = root.run("doorctl", "selftest")
    assert "are those of the manifest" in ended.said
    assert "Traceback" not in ended.said


def test_packed_door_opens_by_pin_in_its_own_environment(root: Root) -> None:
    trial = "cd /usr/lib/doorward/check && PYTHONPATH=. ../bin/python -m tools.simulator.trial"
    ended = root.run("sh", "-c", trial)
    assert ended.code == 0, ended.said
    assert "opened by the right one" in ended.said


def test_every_module_of_the_door_loads_with_what_the_package_brings(root: Root) -> None:
    ended = root.run("/usr/lib/doorward/bin/python", "-I", "-B", "-c", LOAD_ALL)
    assert ended.code == 0, ended.said
    assert int(ended.said) > 300


def test_remove_keeps_what_the_door_knows_and_purge_destroys_it_keys_first(root: Root) -> None:
    secrets = {
        "/etc/credstore.encrypted/vault.key": b"root key of the faces",
        "/etc/credstore.encrypted/keeper.key": b"root key of the PINs",
        "/var/lib/doorward/vault/epoch.key": b"epoch key of the faces",
        "/var/lib/doorward/keeper/epoch.key": b"epoch key of the PINs",
        "/var/lib/doorward/vault/records/1.rec": b"a record",
        "/var/lib/doorward/keys-made": b"vault.key",
        "/etc/doorward/door.toml": b"# settings",
        "/etc/udev/rules.d/61-doorward-setup.rules": b"# the keypad",
        "/etc/systemd/system/doorward-lock.service.d/50-setup.conf": b"# the serial line",
    }
    for name, content in secrets.items():
        root.path(name).parent.mkdir(parents=True, exist_ok=True)
        root.path(name).write_bytes(content)
    other = root.path("/etc/credstore.encrypted/vault.key.of-somebody-else")
    other.write_bytes(b"not ours")

    removed = root.run("dpkg", "--remove", "doorward")
    assert removed.code == 0, removed.said
    assert not root.path("/usr/lib/doorward").exists(), "byte code was left behind"
    for name, content in secrets.items():
        assert root.path(name).read_bytes() == content

    # Two files stand for two keys under a second name: what they hold after the purge shows that they were overwritten.
    watched = {}
    for name in ("/etc/credstore.encrypted/vault.key", "/var/lib/doorward/keeper/epoch.key"):
        watched[name] = root.path(BROUGHT) / name.replace("/", "-")
        watched[name].hardlink_to(root.path(name))
    purged = root.run("dpkg", "--purge", "doorward")
    assert purged.code == 0, purged.said
    assert purged.said.index("First the keys") < purged.said.index("What no purge reaches")
    for name in secrets:
        assert not root.path(name).exists()
    for name, link in watched.items():
        assert secrets[name] not in link.read_bytes()
    assert not root.path("/var/lib/doorward").exists()
    assert other.read_bytes() == b"not ours"
    assert "doorward-vault:" in root.path("/etc/passwd").read_text()


def test_older_version_is_not_installed_over_the_state_of_a_newer_one_that_was_removed(root: Root, made: Made) -> None:
    new = root.run("dpkg", "--install", root.bring(made.new))
    assert new.code == 0, new.said
    assert root.run("dpkg", "--remove", "doorward").code == 0
    refused = root.run("dpkg", "--install", root.bring(made.old))
    assert refused.code != 0
    assert "is older than 0.2.0~deb12" in refused.said
    asked_for = root.run("dpkg", "--install", root.bring(made.old), DOORWARD_ROLLBACK="0.1.0~deb12")
    assert asked_for.code == 0, asked_for.said
