"""Each piece of the simulated hardware by itself, before any door is set up: a later failure then says whose it is."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from tests.support.ports import own_port
from tests.support.vm import booted
from tools.broker import Mosquitto, Witness
from tools.vm.camera.plugged import PluggedCamera
from tools.vm.gpio import Lines
from tools.vm.machine import BOOTS_WITHIN_S, BROKER_ADDRESS, BROKER_PORT, Machine

KEYPAD = "/dev/input/by-path/pci-0000:00:05.0-usb-0:1:1.0-event-kbd"
WITHIN_S = 900.0  # an emulated processor that others use as well
# The middle pixel of a picture of one colour, as picamera2 hands it over: its format, and the three bytes.
CAPTURE = """
from picamera2 import Picamera2
camera = Picamera2()
configuration = camera.create_video_configuration(
    main={"format": "%s", "size": (640, 480)}, buffer_count=4, display=None, encode=None
)
camera.configure(configuration)
camera.start(show_preview=False)
for _ in range(3):
    request = camera.capture_request(wait=60)
    picture = request.make_array("main")
    request.release()
print(camera.camera_configuration()["main"]["format"], *picture[240, 320], *picture.shape, flush=True)
import os
os._exit(0)
"""


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    made = Mosquitto(tmp_path_factory.mktemp("broker"), own_port())
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def machine(broker: Mosquitto) -> Iterator[Machine]:
    with booted(broker_port=broker.port) as made:
        made.agent.until("systemctl is-active multi-user.target", "the end of the boot", 600)
        yield made


def test_it_boots_whole(machine: Machine) -> None:
    assert machine.agent.ask("systemctl --failed --plain --no-legend") == ""
    assert 0 < machine.ready_s < BOOTS_WITHIN_S


def test_an_output_is_seen_and_goes_with_its_owner(machine: Machine) -> None:
    lines = Lines(machine.agent)
    watch = lines.watch()
    machine.agent.ask("systemd-run -q --collect --unit=owner gpioset --chip gpiochip0 17=1")
    watch.wait_high("GPIO17", WITHIN_S)
    assert lines.high("GPIO17")
    machine.agent.ask("systemctl stop owner")
    watch.wait_pulse("GPIO17", WITHIN_S)
    assert not lines.high("GPIO17")


@pytest.mark.parametrize("high", [True, False])
def test_an_input_reads_what_is_pulled(machine: Machine, high: bool) -> None:
    Lines(machine.agent).pull("GPIO23", high=high)
    read = machine.agent.ask("gpioget --numeric --chip gpiochip0 23").strip()
    assert read == ("1" if high else "0")


def test_a_key_pressed_at_the_monitor_is_an_input_event(machine: Machine) -> None:
    agent = machine.agent
    agent.until(f"test -e {KEYPAD}", "the keypad")
    agent.ask(f"rm -f /run/keys; systemd-run -q --collect --unit=keys sh -c 'exec head -c 144 {KEYPAD} >/run/keys'")
    agent.until("ls -l /proc/$(pgrep -x head)/fd | grep -q /dev/input/event", "somebody who reads the keypad")
    machine.monitor.key("kp_1")
    seen = agent.until("test $(stat -c %s /run/keys) -ge 144 && od -A n -t u2 -w24 -j 16 /run/keys", "its events")
    # linux/input.h: type and code; EV_KEY is 1 and KEY_KP1 79.
    assert ["1", "79"] in [line.split()[:2] for line in seen.splitlines()]


def test_there_is_a_tpm(machine: Machine) -> None:
    assert machine.agent.ask("cat /sys/class/tpm/tpm0/tpm_version_major").strip() == "2"
    assert len(machine.agent.ask("tpm2_getrandom --hex 16 -T device:/dev/tpmrm0").strip()) == 32


@pytest.mark.parametrize("with_key", ["tpm2", "host+tpm2"])
def test_a_credential_sealed_to_the_tpm_opens_here(machine: Machine, with_key: str) -> None:
    words = f"--with-key={with_key} --tpm2-pcrs=23 --name=probe"
    machine.agent.ask(f"echo -n secret | systemd-creds encrypt {words} - /run/probe.cred")
    assert machine.agent.ask("systemd-creds decrypt --name=probe /run/probe.cred -") == "secret"
    assert machine.agent.run("systemd-creds decrypt --name=other /run/probe.cred -").code != 0


@pytest.mark.parametrize(("form", "bytes_order"), [("YUYV", None), ("RGB888", "rgb")])
def test_picamera2_sees_what_stands_before_the_camera(
    machine: Machine, tmp_path: Path, form: str, bytes_order: str | None
) -> None:
    picture = tmp_path / "orange.png"
    Image.new("RGB", (640, 480), (230, 120, 20)).save(picture)
    with PluggedCamera(machine.camera_socket) as camera:
        camera.show(picture)
        machine.agent.until("test -e /dev/video0", "the camera")
        said = machine.agent.ask(f"python3 - 2>/dev/null <<'END'\n{CAPTURE % form}\nEND", limit_s=600)
        assert camera.frames > 0
    told, *numbers = said.split()
    values = [int(each) for each in numbers]
    if bytes_order is None:
        assert told == "YUYV"
        # ITU-R BT.601, limited range, of (230, 120, 20).
        assert values[0] == pytest.approx(138, abs=3)
    else:
        # A USB camera has no RGB: libcamera gives Motion-JPEG instead, and picamera2 decodes it to R, G, B, where the
        # same words on a Raspberry Pi give B, G, R.
        assert told == "MJPEG"
        assert values[:3] == pytest.approx([230, 120, 20], abs=8)
        assert values[3:] == [480, 640, 3]


def test_a_camera_that_is_pulled_out_is_gone_and_comes_back(machine: Machine) -> None:
    agent = machine.agent
    with PluggedCamera(machine.camera_socket):
        agent.until("test -e /dev/video0", "the camera")
    agent.until("test ! -e /dev/video0", "the end of the camera")
    with PluggedCamera(machine.camera_socket):
        agent.until("test -e /dev/video0", "the camera again")
    agent.until("test ! -e /dev/video0", "the end of the camera")


def test_the_broker_is_reached_and_nothing_else(machine: Machine, broker: Mosquitto) -> None:
    # An MQTT 5 CONNECT with a clean start and no client id; a broker that hears it answers with a CONNACK.
    hello = r"\x10\x0d\0\x04MQTT\x05\x02\0\x3c\0\0\0"
    said = f'printf "{hello}" >&3; head -c 1 <&3 | od -A n -t x1'
    connect = f"timeout 30 bash -c 'exec 3<>/dev/tcp/{BROKER_ADDRESS}/{BROKER_PORT}; {said}'"
    assert machine.agent.ask(connect).strip() == "20"
    elsewhere = machine.agent.run(f"timeout 5 bash -c ': </dev/tcp/{BROKER_ADDRESS}/80'")
    assert elsewhere.code != 0
    with Witness(broker) as witness:
        assert witness.seen == []


def test_a_watchdog_that_is_not_fed_resets_the_machine(machine: Machine) -> None:
    """Last of all: the machine boots again."""
    boots, since = machine.agent.boots, len(machine.monitor.events)
    boot_id = machine.agent.ask("cat /proc/sys/kernel/random/boot_id")
    # As the package advises: systemd feeds it, and after a fault of its own stands still and feeds it no more.
    setting = "/usr/share/doorward/system.conf.d/50-doorward.conf"
    machine.agent.ask(f"install -D -t /etc/systemd/system.conf.d {setting} && systemctl daemon-reexec")
    machine.agent.until("systemctl show -P RuntimeWatchdogUSec | grep -qx 10s", "a watchdog that is fed")
    machine.agent.run("kill -SEGV 1")
    machine.monitor.wait("WATCHDOG", WITHIN_S, since)
    machine.agent.wait_ready(BOOTS_WITHIN_S, boots)
    assert machine.agent.ask("cat /proc/sys/kernel/random/boot_id") != boot_id
