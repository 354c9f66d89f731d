"""Runs in the guest: carries out the scripts that come over a virtio port, and answers each.

One line in: {"id": N, "script": TEXT, "input": BASE64, "limit_s": SECONDS}. One line out: {"id": N, "code": N,
"out": BASE64, "err": BASE64, "took_s": SECONDS}, or {"ready": UPTIME} once at the start. Several scripts may run at
the same time.
"""

from __future__ import annotations

import base64
import json
import subprocess
import threading
import time
from pathlib import Path
from typing import Any, BinaryIO

PORT = Path("/dev/virtio-ports/doorward.agent")
SHELL = ("/bin/bash", "-c")
TIMED_OUT = 124


def carry_out(order: dict[str, Any]) -> dict[str, Any]:
    """Run one script to its end."""
    began_s = time.monotonic()
    given = base64.b64decode(order.get("input", ""))
    try:
        done = subprocess.run(
            [*SHELL, order["script"]], input=given, capture_output=True, timeout=order["limit_s"], check=False
        )
        code, out, err = done.returncode, done.stdout, done.stderr
    except subprocess.TimeoutExpired as late:
        code, out, err = TIMED_OUT, late.stdout or b"", late.stderr or b""
    return {
        "id": order["id"],
        "code": code,
        "out": base64.b64encode(out).decode(),
        "err": base64.b64encode(err).decode(),
        "took_s": round(time.monotonic() - began_s, 3),
    }


def main() -> None:
    """Serve until the machine stops."""
    while not PORT.exists():
        time.sleep(0.05)
    speaking = threading.Lock()
    with PORT.open("r+b", buffering=0) as port:
        tell(port, speaking, {"ready": float(Path("/proc/uptime").read_text().split()[0])})
        waiting = b""
        while True:
            part = port.read(65536)
            if not part:  # nobody at the other end
                time.sleep(0.1)
                continue
            *lines, waiting = (waiting + part).split(b"\n")
            for line in lines:
                order = json.loads(line)
                threading.Thread(target=lambda order=order: tell(port, speaking, carry_out(order)), daemon=True).start()


def tell(port: BinaryIO, speaking: threading.Lock, answer: dict[str, Any]) -> None:
    """Write one answer as one line."""
    left = json.dumps(answer).encode() + b"\n"
    with speaking:
        while left:
            left = left[port.write(left) :]


if __name__ == "__main__":
    main()
