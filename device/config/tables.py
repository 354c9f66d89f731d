"""The tables of door.toml as frozen dataclasses: one a room, with the bounds and the default of each setting.

Rules kept here:
- The defaults are the cautious choice: a face alone does not open, the lamp window is short, the broker is off.
- No secret stands in door.toml and no template, PIN or slot: it may be shown to anybody who may see the door.
- A setting never loosens a rule of the project: there is no threshold here (it follows from the budget, which
  can only be made stricter), no switch for the lamp, none for the guess budget.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from device.settings import Between, Matching, OneOf, OneOfNumbers
from device.strength import KeyPlace, place_of

GPIO = r"GPIO([0-9]|1[0-9]|2[0-7])"
_OFFSET = r"(0|[1-9][0-9]{0,3})"
_LINE = rf"{GPIO}|gpiochip[0-9]{{1,2}}:{_OFFSET}|chip:[A-Za-z0-9_.@-]{{1,31}}:{_OFFSET}|line:[A-Za-z0-9_./+-]{{1,31}}"
_LINE_MEANING = 'a pin such as "GPIO17", or with board "gpiod" also "line:NAME", "chip:LABEL:17" or "gpiochip0:17"'
PIN_NAME = Matching(_LINE, _LINE_MEANING)
OPTIONAL_PIN = Matching(rf"({_LINE})?", f"empty (not wired), or {PIN_NAME.meaning}")

OSDP_MEANING = 'empty or a name such as "/dev/serial/by-path/platform-3f980000.usb-usb-0:1.3:1.0-port0"'
CAMERA_MEANING = 'empty or a name such as "/dev/v4l/by-path/platform-3610000.usb-usb-0:2.1:1.0-video-index0"'
PINNED_MEANING = 'empty or a camera as `doorctl setup` pins it, such as "uvcvideo|HD Camera|usb-0000:00:14.0-2|5f0c..."'
KEYPAD_MEANING = 'empty or a name such as "/dev/input/by-path/platform-keypad-event"'


@dataclass(frozen=True, slots=True)
class DoorTable:
    """Which door this is. `id` is random and says nothing about the place; `manager_key` verifies documents."""

    id: Annotated[str, Matching(r"[0-9a-f]{16}", "16 hexadecimal digits")]
    manager_key: Annotated[str, Matching(r"([0-9a-f]{64})?", "64 hexadecimal digits (Ed25519), or empty")] = ""


@dataclass(frozen=True, slots=True)
class CameraTable:
    """The camera. Two planes of one exposure: `main` for the crop, `low` for the detector."""

    backend: Annotated[str, OneOf(("picamera2", "v4l2", "replay", "none"))] = "picamera2"
    # v4l2 only: the USB camera by where it is plugged in or what it is, not by the number it happened to get.
    device: Annotated[str, Matching(r"(/dev/v4l/by-(path|id)/[A-Za-z0-9_.:+@=#-]+)?", CAMERA_MEANING)] = ""
    # Which camera it is, as `doorctl setup` and the log of eye say it: driver, model, place and a digest of its modes.
    # Another one is a fault. Empty, the first one seen since eye started counts.
    pinned: Annotated[str, Matching(r"(([ -{}~]{1,200}\|){3}([0-9a-f]{16}|-))?", PINNED_MEANING)] = ""
    # replay only: a picture, a folder, or a scene file (doorsim)
    replay: Annotated[str, Matching(r"[^\0]*", "the path of a picture, a folder or a scene")] = ""
    width_px: Annotated[int, Between(320, 4608)] = 640
    height_px: Annotated[int, Between(240, 3456)] = 480
    fps: Annotated[float, Between(1, 60)] = 15.0
    # At most what keeps the longest call shorter than eye's watchdog: device/eye/waits.py.
    frame_timeout_ms: Annotated[int, Between(100, 5000)] = 1000


@dataclass(frozen=True, slots=True)
class EyeTable:
    """What counts as a usable face. Distances are in pixels of the main plane, between the two eyes."""

    runtime: Annotated[str, OneOf(("auto", "litert", "tflite"))] = "auto"
    threads: Annotated[int, Between(1, 4)] = 1
    min_eye_distance_px: Annotated[float, Between(16, 400)] = 28.0
    max_eye_distance_px: Annotated[float, Between(40, 2000)] = 400.0
    frames: Annotated[int, Between(1, 3)] = 3
    enrol_frames: Annotated[int, Between(3, 9)] = 5
    # From the middle of the lens to the middle of each white light, measured on the mounted housing (docs/wiring.md).
    light_offset_mm: Annotated[float, Between(30, 300)] = 80.0


# Where a room's epoch key lives: always named, never found out (docs/keys.md says what each reveals).
KEY_STORE = OneOf(("file", "tpm-nv"))
# How systemd seals the root key it hands over (`systemd-creds encrypt --with-key=`): named as well, never "auto".
SEALED_WITH = OneOf(("host", "tpm2"))


@dataclass(frozen=True, slots=True)
class VaultTable:
    """The sealed faces, and the false-open budget, which can only be made stricter (docs/budget.md)."""

    key_store: Annotated[str, KEY_STORE] = "file"
    root_key_sealed_with: Annotated[str, SEALED_WITH] = "host"
    # What has ended opens nothing at once. The face, and keeper's PIN, are destroyed when the clock has said so for
    # this long without a break: a clock that jumped and was set right costs nobody anything.
    expiry_grace_s: Annotated[float, Between(0, 86400)] = 3600.0
    false_opens_per_year: Annotated[float, Between(0.001, 1)] = 1.0
    strangers_per_day: Annotated[float, Between(5, 10000)] = 5.0

    @property
    def key_place(self) -> KeyPlace:
        """What people are told about deletions."""
        return place_of(self.key_store, self.root_key_sealed_with)


@dataclass(frozen=True, slots=True)
class KeeperTable:
    """The PINs. With "tpm-nv" a TPM that fails keeps keeper from starting, and with it every PIN."""

    key_store: Annotated[str, KEY_STORE] = "file"
    root_key_sealed_with: Annotated[str, SEALED_WITH] = "host"

    @property
    def key_place(self) -> KeyPlace:
        """What an audit says of the PINs."""
        return place_of(self.key_store, self.root_key_sealed_with)


@dataclass(frozen=True, slots=True)
class TpmTable:
    """The TPM of whoever uses "tpm-nv": the kernel's resource manager, or a software TPM (tests)."""

    tcti: Annotated[str, Matching(r"device:/dev/tpm(rm)?[0-9]|swtpm:path=/[^,\0]+", 'such as "device:/dev/tpmrm0"')] = (
        "device:/dev/tpmrm0"
    )


@dataclass(frozen=True, slots=True)
class LockTable:
    """The bolt and what opens it. `tier`: what a recognised face is worth; "face" needs lights and tries (`load`)."""

    board: Annotated[str, OneOf(("gpiozero", "gpiod", "sim"))] = "gpiozero"
    wiring: Annotated[str, OneOf(("fail-secure", "fail-safe"))] = "fail-secure"
    bolt_pin: Annotated[str, PIN_NAME] = "GPIO17"
    bolt_active_high: bool = True
    lamp_pin: Annotated[str, PIN_NAME] = "GPIO27"
    face_button_pin: Annotated[str, PIN_NAME] = "GPIO22"
    rex_pin: Annotated[str, PIN_NAME] = "GPIO23"
    door_switch_pin: Annotated[str, PIN_NAME] = "GPIO24"
    tamper_pin: Annotated[str, PIN_NAME] = "GPIO25"
    buzzer_pin: Annotated[str, OPTIONAL_PIN] = ""
    status_led_pin: Annotated[str, OPTIONAL_PIN] = ""
    # The two white lights of the light challenge, left and right for who looks into the lens: all four lines or none.
    # A strong line gives twice the light of a weak one.
    left_light_weak_pin: Annotated[str, OPTIONAL_PIN] = ""
    left_light_strong_pin: Annotated[str, OPTIONAL_PIN] = ""
    right_light_weak_pin: Annotated[str, OPTIONAL_PIN] = ""
    right_light_strong_pin: Annotated[str, OPTIONAL_PIN] = ""
    # The keypad's name by the socket it is plugged into, not the number it happened to get. `keypad_id` pins its make
    # as the log of lock says it; empty, the first one seen since lock started counts.
    keypad: Annotated[str, Matching(r"(/dev/input/by-(path|id)/[A-Za-z0-9_.:+-]+)?", KEYPAD_MEANING)] = ""
    keypad_id: Annotated[
        str, Matching(r"([0-9a-f]{4}(:[0-9a-f]{4}){3})?", 'empty or a form such as "0003:1a2c:0002:0110"')
    ] = ""
    # The PC/SC reader of the cards, by the beginning of its name as `pcsc_scan` shows it; empty: no card reader.
    card_reader: Annotated[str, Matching(r"[ -~]{0,64}", "empty or the name of a PC/SC reader")] = ""
    # An OSDP reader by the adapter it hangs on, by its path and never by a number it happened to get.
    osdp: Annotated[str, Matching(r"(/dev/serial/by-(path|id)/[A-Za-z0-9_.:+-]+)?", OSDP_MEANING)] = ""
    osdp_address: Annotated[int, Between(0, 126)] = 0
    osdp_baud: Annotated[int, OneOfNumbers((9600, 19200, 38400, 57600, 115200, 230400))] = 9600
    rex_wired: bool = True  # without a request-to-exit line an opening from inside cannot be told from a forced one
    tier: Annotated[str, OneOf(("face+pin", "face"))] = "face+pin"
    unlock_ms: Annotated[int, Between(500, 15000)] = 4000
    window_s: Annotated[float, Between(2, 10)] = 10.0
    held_open_s: Annotated[float, Between(5, 600)] = 60.0

    @property
    def light_pins(self) -> tuple[str, str, str, str]:
        """The lines of the two lights: left weak and strong, right weak and strong; empty without lights."""
        left = self.left_light_weak_pin, self.left_light_strong_pin
        return *left, self.right_light_weak_pin, self.right_light_strong_pin

    @property
    def lights(self) -> bool:
        """Whether the two white lights of the light challenge are fitted."""
        return all(self.light_pins)


@dataclass(frozen=True, slots=True)
class ReportTable:
    """What leaves the door, how often and where to. `broker` empty: nothing leaves."""

    broker: Annotated[
        str, Matching(r"(mqtts?://[A-Za-z0-9_.:\[\]-]+)?", 'empty, "mqtts://HOST:PORT" or "mqtt://HOST:PORT"')
    ] = ""
    cadence_s: Annotated[float, Between(1, 86400)] = 900.0
    outbox_rows: Annotated[int, Between(4, 100000)] = 1000


@dataclass(frozen=True, slots=True)
class SignTable:
    """What the sign at the door needs to know and no process does (`doorctl setup --sign`).

    `contact`: whom to ask, one line as it is printed. `view_deg`: the camera's horizontal field of view, as its maker
    says; 66 is that of a Raspberry Pi Camera Module 3. From it follows how far away a face may still be found.
    """

    contact: Annotated[
        str, Matching(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029]{0,200}", "one line of at most 200 letters")
    ] = ""
    view_deg: Annotated[float, Between(10, 170)] = 66.0


_HTTPS = 443  # the port that nobody types
HOST_MEANING = 'empty, or a name or address as people type it, such as "door.local" or "192.168.1.20"'


@dataclass(frozen=True, slots=True)
class PageTable:
    """The resident's page (`device.desk.page`). `port` 0: there is none, and nobody can call this door.

    `address`: the one address of this machine at which it may be called; empty: every one. `name`: what stands in its
    URL, in the QR code at the door and in its certificate. `always`: it is up without `012 #` at the keypad.
    """

    port: Annotated[int, Between(0, 65535)] = 0
    address: Annotated[str, Matching(r"([0-9]{1,3}(\.[0-9]{1,3}){3}|[0-9a-f:]{2,39})?", "empty or an IP address")] = ""
    name: Annotated[str, Matching(r"([a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?|[0-9a-f:]{2,39})?", HOST_MEANING)] = ""
    always: bool = False

    @property
    def served(self) -> bool:
        """Whether this door has a page."""
        return self.port != 0

    @property
    def url(self) -> str:
        """Its address as people type it; empty without a page, and without a name or an address that could be told."""
        host = self.name or self.address
        if not self.served or not host:
            return ""
        bracketed = f"[{host}]" if ":" in host else host
        return f"https://{bracketed}/" if self.port == _HTTPS else f"https://{bracketed}:{self.port}/"


@dataclass(frozen=True, slots=True)
class Config:
    """The whole of door.toml."""

    door: DoorTable
    camera: CameraTable = CameraTable()
    eye: EyeTable = EyeTable()
    vault: VaultTable = VaultTable()
    keeper: KeeperTable = KeeperTable()
    tpm: TpmTable = TpmTable()
    lock: LockTable = LockTable()
    report: ReportTable = ReportTable()
    sign: SignTable = SignTable()
    page: PageTable = PageTable()
