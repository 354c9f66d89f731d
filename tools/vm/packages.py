"""What the guest's Debian holds: packages by name, and the wheels that no Debian 12 has.

Rules kept here:
- A reason stands beside each group. What the door's own package brings is not here.
- Versions of wheels are pinned; the packages are Debian 12's, and libcamera its backport's.
"""

from __future__ import annotations

from typing import Final

SUITE: Final = "bookworm"
PINNED_TO_BACKPORTS: Final = "src:libcamera python3-libcamera libcamera* gpiod libgpiod* python3-libgpiod"

# A Raspberry Pi's system, as far as the door meets it.
SYSTEM: Final = (
    "systemd",
    "systemd-sysv",
    "udev",
    "dbus",
    "kmod",
    "libnss-systemd",
    "iproute2",
    "procps",
    "util-linux",
    "e2fsprogs",
    "ca-certificates",
    "openssl",
    "python3",
    "python3-venv",
)
# `systemd-creds` with a TPM loads these when it needs them; the door's key store runs tpm2.
TPM: Final = (
    "tpm2-tools",
    "libtss2-esys-3.0.2-0",
    "libtss2-rc0",
    "libtss2-mu0",
    "libtss2-tcti-device0",
)
# picamera2 and libcamera come from apt on a Pi; Debian 12 has libcamera in its backports, and no picamera2.
CAMERA: Final = (
    "python3-libcamera",
    "libcamera-tools",
    "libcamera-ipa",
    "python3-prctl",
    "python3-pil",
    "v4l-utils",
    "libgomp1",
)
# What the door's package recommends.
READERS: Final = (
    "pcscd",
    "python3-pyscard",
)
# For whoever looks into a machine.
TO_LOOK: Final = (
    "gpiod",
    "strace",
)
# Compiles pidng, which picamera2 imports and which has no wheel; taken away again.
TO_COMPILE: Final = (
    "gcc",
    "libc6-dev",
    "python3-dev",
    "python3-pip",
)

WHEELS: Final = (
    "picamera2==0.3.38",
    "lgpio==0.2.2.0",  # Raspberry Pi OS has it as a package
    "numpy==1.26.4",
)
