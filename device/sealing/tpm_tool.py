"""A TPM through Debian's tpm2-tools: five commands, each a short-lived program that can be killed when the TPM stalls.

Rules kept here:
- No secret stands in an argument, an environment variable or a file on a disk: the authorisation value goes through a
  file in memory that only the child inherits, contents go through its standard input and output.
- No shell and no search path: one program by its full name, an empty environment.
- Every command ends within `COMMAND_S`, whatever the TPM does. A program that cannot even be killed (a driver that
  hangs) is left behind, and until it has ended nothing else is asked: its late write must not overtake what follows.
- Every failure is a KeyFault with one sentence; what the TPM answered is told by its response code only.

Response codes: TPM 2.0 Library, part 2, TPM_RC. tpm2-tools authorise with HMAC sessions: the value itself does not
cross the wires to the TPM, except once when the index is made, and an answer that was not the TPM's is refused.
"""

from __future__ import annotations

import os
import re
import subprocess
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from device.errors import KeyFault

PROGRAM = "/usr/bin/tpm2"
COMMAND_S = 3.0  # a vault that asks twice (the write, then the look at what became of it) still feeds a 10 s watchdog
_REAP_S = 0.5
_AUTH = "{auth}"
_CODE = re.compile(rb"\(0x([0-9A-Fa-f]{3,8})\)")
_NAME = re.compile(rb"^\s+name: ([0-9a-f]+)$", re.MULTILINE)
_HANDLE = re.compile(rb"0x[0-9A-Fa-f]+")

_LAYER_BITS, _TPM_LAYERS = 16, (0, 11)  # of a TSS2_RC: the TPM itself, and the kernel's resource manager for it
_BAD_AUTH, _AUTH_FAIL = 0x0A2, 0x08E
_REASONS = {
    _BAD_AUTH: "it was made for another root key",
    _AUTH_FAIL: "it was made for another root key",
    0x08B: "it is gone; somebody has cleared the TPM",
    0x14B: "the TPM has no room left",
    0x920: "the TPM limits how often it is written; it will do so again in a moment",
    0x921: "the TPM is locked out after wrong authorisations by other programs",
    0x923: "the TPM's memory cannot be used at the moment",
}


@dataclass(slots=True)
class Tpm:
    """The TPM that `tcti` leads to, e.g. "device:/dev/tpmrm0" (tpm2-tss, TCTI configuration)."""

    tcti: str
    program: str = PROGRAM
    command_s: float = COMMAND_S
    _left_behind: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def indices(self) -> frozenset[int]:
        """The handles of all indices that are defined. Raises KeyFault."""
        listed = self._run("list its indices", "getcap", "handles-nv-index")
        return frozenset(int(handle, 16) for handle in _HANDLE.findall(listed))

    def name(self, index: int) -> str:
        """The Name of `index`, in hexadecimal. Raises KeyFault."""
        found = _NAME.search(self._run("describe its index", "nvreadpublic", f"{index:#x}"))
        if found is None:
            msg = "the TPM's description of its index is not understood; is this version of tpm2-tools known to work?"
            raise KeyFault(msg)
        return found[1].decode("ascii")

    def define(self, index: int, size: int, attributes: tuple[str, ...], auth: bytes) -> None:
        """Make `index` as the TPM's owner, who must have no password. Raises KeyFault."""
        rights = "|".join(attributes)
        words = ("nvdefine", "-Q", "-C", "o", "-s", str(size), "-a", rights, "-p", _AUTH, f"{index:#x}")
        self._run("make an index", *words, auth=auth, reasons={_BAD_AUTH: _OWNED, _AUTH_FAIL: _OWNED})

    def read(self, index: int, size: int, auth: bytes) -> bytes:
        """The `size` bytes in `index`. Raises KeyFault."""
        contents = self._run("read its index", "nvread", "-s", str(size), "-P", _AUTH, f"{index:#x}", auth=auth)
        if len(contents) != size:
            msg = f"the TPM gave {len(contents)} bytes of its index instead of {size}"
            raise KeyFault(msg)
        return contents

    def write(self, index: int, contents: bytes, auth: bytes) -> None:
        """Let `index` hold `contents`; in the TPM's non-volatile memory on return. Raises KeyFault."""
        words = ("nvwrite", "-Q", "-P", _AUTH, "-i", "-", f"{index:#x}")
        self._run("write its index", *words, auth=auth, data=contents)

    # ---- one command

    def _run(
        self, deed: str, *words: str, auth: bytes = b"", data: bytes = b"", reasons: dict[int, str] | None = None
    ) -> bytes:
        """What the tool printed. `_AUTH` among `words` becomes the place from which it reads `auth`."""
        if self._left_behind is not None and self._left_behind.poll() is None:
            msg = "the TPM has still not answered an earlier command"
            raise KeyFault(msg)
        self._left_behind = None
        secret = os.memfd_create("auth", os.MFD_CLOEXEC)
        try:
            os.write(secret, auth)
            place = f"file:/proc/self/fd/{secret}"
            line = [self.program, *(place if word == _AUTH else word for word in words), "-T", self.tcti]
            code, said, complaint = self._call(line, secret, data, deed)
        finally:
            os.close(secret)
        if code != 0:
            raise KeyFault(self._sentence(deed, complaint, {**_REASONS, **(reasons or {})}))
        return said

    def _call(self, line: list[str], secret: int, data: bytes, deed: str) -> tuple[int, bytes, bytes]:
        try:
            child = subprocess.Popen(
                line,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=(secret,),
                env={},
            )
        except OSError as cause:
            msg = f"the TPM cannot be asked: {Path(self.program).name} cannot be run (apt-get install tpm2-tools)"
            raise KeyFault(msg) from cause
        try:
            said, complaint = child.communicate(data, timeout=self.command_s)
        except subprocess.TimeoutExpired as cause:
            self._end(child)
            msg = f"the TPM did not {deed} within {self.command_s:g} s"
            raise KeyFault(msg) from cause
        return child.returncode, said, complaint

    def _end(self, child: subprocess.Popen[bytes]) -> None:
        child.kill()
        for pipe in (child.stdin, child.stdout, child.stderr):
            if pipe:
                with suppress(OSError):  # what was still to be written has nobody to read it
                    pipe.close()
        try:
            child.wait(_REAP_S)
        except subprocess.TimeoutExpired:
            self._left_behind = child

    def _sentence(self, deed: str, complaint: bytes, reasons: dict[int, str]) -> str:
        codes = [int(code, 16) for code in _CODE.findall(complaint)]
        if not codes or codes[-1] >> _LAYER_BITS not in _TPM_LAYERS:
            return f"the TPM at {self.tcti} cannot be reached"
        code = codes[-1] & (1 << _LAYER_BITS) - 1
        if reason := reasons.get(_bare(code)):
            return f"the TPM did not {deed}: {reason}"
        return f"the TPM did not {deed} (its response code is {code:#x})"


_OWNED = "its owner has set a password; take it away until this door has started once (tpm2 changeauth -c owner)"


def _bare(code: int) -> int:
    """The response code without the place it complains about (part 2, format-one codes: bits 6 and 8-11)."""
    return code & 0x0BF if code & 0x080 else code
