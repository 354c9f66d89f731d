"""The processors that are counted for: what boards have them, and what Linux says about them.

Rules kept here:
- The runtimes choose their arithmetic by what the kernel tells: the features of ELF's auxiliary vector, which the
  emulator gives, and the model in /proc/cpuinfo, which is written here. Where that cannot be read, XNNPACK is not used.
- Both say the same: a processor's features are those that the emulated one has.

Sources: part numbers, Arm technical reference manuals, MIDR_EL1 (Cortex-A72: 0xD08, Cortex-A76: 0xD0B); which has what,
the same manuals (A72 is ARMv8.0; A76 is ARMv8.2 with dot products and 16-bit floats). NVIDIA's Jetson Orin has the
Cortex-A78AE, ARMv8.2 with the same two.
"""

from __future__ import annotations

from dataclasses import dataclass

_ALWAYS = "fp asimd evtstrm crc32 cpuid"
_V8_2 = "aes pmull sha1 sha2 atomics fphp asimdhp asimdrdm lrcpc dcpop asimddp"
CORES = 4


@dataclass(frozen=True, slots=True)
class Processor:
    """`name` as QEMU calls it; `part` of MIDR_EL1; `features` in the kernel's words."""

    name: str
    boards: str
    part: int
    features: str

    def cpuinfo(self) -> str:
        """/proc/cpuinfo of four such cores, as an arm64 kernel writes it (arch/arm64/kernel/cpuinfo.c)."""
        lines = (
            "BogoMIPS\t: 108.00",
            f"Features\t: {self.features}",
            "CPU implementer\t: 0x41",
            "CPU architecture: 8",
            "CPU variant\t: 0x0",
            f"CPU part\t: 0x{self.part:03x}",
            "CPU revision\t: 3",
        )
        return "".join("\n".join((f"processor\t: {core}", *lines, "", "")) for core in range(CORES))


PROCESSORS = (
    Processor("cortex-a72", "Raspberry Pi 4", 0xD08, _ALWAYS),
    Processor(
        "cortex-a76", "Raspberry Pi 5; Jetson Orin's cores have the same instructions", 0xD0B, f"{_ALWAYS} {_V8_2}"
    ),
)
