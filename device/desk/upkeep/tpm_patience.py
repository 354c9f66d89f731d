"""A TPM that seals a room's key is told that a power cut is no attack.

Rules kept here:
- A TPM counts an end without a farewell as a wrong guess, if anything that guessing could open was used since its
  start; what systemd seals is such a thing. After a few it opens nothing for a while. So it is given many tries, and
  forgives one a minute, before the first key is sealed by it.
- What was set is read back. A TPM that cannot be told so seals no key: a door that a few power cuts shut is refused
  when it is made, not found out by whoever stands before it.
- Nobody's password is asked for or kept. A TPM whose lockout has one is its owner's affair; the sentence says what to
  do. How long that password is barred after a wrong one stays as it was.

Nothing of the door's is weaker for it: what systemd seals has no password that could be guessed, and the indices of
`tpm-nv` are exempt and hold 32 random bytes. Another program's short PIN in this TPM would be: docs/keys.md.

Source: TPM 2.0 Library, part 1, "Dictionary Attack Protection", and part 3, TPM2_DictionaryAttackParameters. Seen with
swtpm 0.7.1: tests/contract/keystore/test_lockout.py.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass

from device.errors import KeyFault

PROGRAM = "/usr/bin/tpm2"
TCTI = "device:/dev/tpmrm0"  # the TPM that systemd takes
TRIES = 10_000  # a choice: 27 years of one power cut a day, if none were ever forgiven
FORGIVEN_S = 60  # a choice: whoever runs for a minute has one power cut less
_COMMAND_S = 10.0
_NAMES = ("MAX_AUTH_FAIL", "LOCKOUT_INTERVAL", "LOCKOUT_RECOVERY")

Tool = Callable[[tuple[str, ...]], str | None]
"""Runs `tpm2` with these words; its standard output, or None if the TPM refused. Raises KeyFault."""


@dataclass(frozen=True, slots=True)
class _Lockout:
    """How many tries there are, after how many seconds one is forgiven, and how long a wrong password is barred."""

    tries: int
    forgiven_s: int
    barred_s: int

    @property
    def patient(self) -> bool:
        """Whether power cuts do no harm; a TPM that forgives after 0 s counts nothing at all."""
        return self.tries >= TRIES and self.forgiven_s <= FORGIVEN_S


def tpm2(words: tuple[str, ...]) -> str | None:
    """`Tool` by the real program."""
    try:
        ended = subprocess.run(
            [PROGRAM, *words, "-T", TCTI],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env={},
            timeout=_COMMAND_S,
            check=False,
        )
    except subprocess.TimeoutExpired as cause:
        msg = f"the TPM did not answer within {_COMMAND_S:.0f} seconds"
        raise KeyFault(msg) from cause
    except OSError as cause:
        msg = "the TPM cannot be told that a power cut is no attack: apt-get install tpm2-tools"
        raise KeyFault(msg) from cause
    return ended.stdout.decode("utf-8", "replace") if ended.returncode == 0 else None


def be_patient(tool: Tool = tpm2) -> None:
    """Let the TPM bear power cuts, unless it does already. Raises KeyFault if it will not."""
    before = _asked(tool)
    if before.patient:
        return
    words = ("dictionarylockout", "-s", "-n", str(TRIES), "-t", str(FORGIVEN_S), "-l", str(before.barred_s))
    if tool(words) is None or not _asked(tool).patient:
        msg = (
            f"after {before.tries} power cuts the TPM would open no key for a while, and it cannot be told otherwise: "
            f"its lockout has a password, or is locked itself. Run `tpm2_{' '.join(words)} -p PASSWORD`, or let "
            'door.toml say root_key_sealed_with = "host"'
        )
        raise KeyFault(msg)


def _asked(tool: Tool) -> _Lockout:
    told = tool(("getcap", "properties-variable")) or ""
    found = [re.search(rf"^TPM2_PT_{name}: 0x([0-9A-Fa-f]+)$", told, re.MULTILINE) for name in _NAMES]
    numbers = [int(each[1], 16) for each in found if each]
    if len(numbers) != len(_NAMES):
        msg = "the TPM does not say how many power cuts it bears; no key is sealed by it"
        raise KeyFault(msg)
    return _Lockout(*numbers)
