"""A door on a real machine: a booted Debian in QEMU, with hardware that the kernel simulates.

`python -m tools.vm build|boot|run CMD|down`; what it is made of and why stands in docs/vm.md.

Rules kept here:
- Nothing inside the guest knows that it is simulated: the units, the package, picamera2, libcamera, libgpiod and the
  kernel's drivers are the ones a real door has. Only the wires end at this process instead of at a board.
- What is slow is built once and kept under .cache/vm, under a digest of everything that went into it.
- A machine never writes into the image: each has an overlay of its own in a state folder of its own, so that several
  people, and several tests, have theirs side by side.
"""
