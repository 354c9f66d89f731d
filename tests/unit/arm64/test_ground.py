"""What the emulated processor stands on."""

from __future__ import annotations

import pytest

from device.eye.runtime import Runtime
from tools.arm64.ground import LOCK, WHEELS, locked
from tools.arm64.plan import SHIPPED, asked
from tools.arm64.processors import CORES, PROCESSORS
from tools.vm.say import VmFault

TWO = """\
# a comment
alpha==1.0 ; python_full_version < '3.12' \\
    --hash=sha256:aa \\
    --hash=sha256:ab
    # via beta
alpha==2.0 ; python_full_version >= '3.12' \\
    --hash=sha256:ba
beta==3.1 \\
    --hash=sha256:ca
"""


def test_of_two_pins_the_one_for_this_python_is_taken_with_its_hashes() -> None:
    assert locked(TWO, ("alpha",)) == "alpha==1.0 \\\n    --hash=sha256:aa \\\n    --hash=sha256:ab\n"


def test_a_package_without_a_pin_is_refused() -> None:
    with pytest.raises(VmFault, match="pins no gamma"):
        locked(TWO, ("alpha", "gamma"))


@pytest.mark.parametrize("runtime", list(Runtime))
def test_the_projects_own_lock_pins_what_each_runtime_imports_once_and_by_hash(runtime: Runtime) -> None:
    lines = locked(LOCK.read_text(encoding="utf-8"), WHEELS[runtime]).splitlines()
    pins = [line.partition("==")[0] for line in lines if not line.startswith(" ")]
    assert sorted(pins) == sorted(WHEELS[runtime])
    assert all("--hash=sha256:" in line for line in lines if line.startswith(" "))
    if runtime is Runtime.TFLITE:
        assert any(line.startswith("numpy==1.") for line in lines)


def test_each_processor_tells_the_runtimes_what_it_is() -> None:
    told = {each.name: each.cpuinfo() for each in PROCESSORS}
    assert all(text.count("processor\t: ") == CORES for text in told.values())
    assert "CPU part\t: 0xd08" in told["cortex-a72"]
    assert "CPU part\t: 0xd0b" in told["cortex-a76"]
    # Dot products and 16-bit floats: what the two differ in.
    assert all(word in told["cortex-a76"].split() for word in ("asimddp", "asimdhp"))
    assert not any(word in told["cortex-a72"].split() for word in ("asimddp", "asimdhp"))


def test_every_shipped_network_is_counted_with_and_without_xnnpack_and_on_more_threads() -> None:
    shipped = [row for row in asked() if row.ships]
    for network in SHIPPED:
        ways = {(row.xnnpack, row.threads) for row in shipped if row.network == network}
        assert ways == {(True, 1), (True, 2), (False, 1)}
    assert len({row.name for row in asked()}) == len(asked())
