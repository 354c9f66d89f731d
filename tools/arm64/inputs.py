"""What the networks are run on: the sample pictures, as eye would feed them, and what a known runtime makes of them.

Rules kept here:
- The pictures are the project's sample pictures and stay in its cache, beside them the arrays made of them.
- What a network answers here, on this computer's own runtime, is what the emulated processors are compared with.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from device.eye.runtime import Runtime
from tools import samples
from tools.arm64.emulator import MODULES
from tools.models import faces
from tools.models.runner import Runner

Arrays = list[npt.NDArray[np.float32]]
NETWORKS = ("yunet", "facemesh", "sface")
_MESH = slice(16, None)  # of the aligned crop: 96 x 96 around the face, doubled to the mesh's 192


def make(folder: Path, models: Path) -> dict[str, Path]:
    """Write the inputs of every network, one picture after the other, and return the files by network."""
    samples.fetch()
    detector = Runner.load(models / "yunet.tflite")
    made: dict[str, Arrays] = {name: [] for name in NETWORKS}
    for name in samples.PICTURES:
        picture = faces.read(samples.sample(name))
        made["yunet"].append(faces.fit(picture, 256, 320)[0][None].astype(np.float32))
        face = faces.main_face(detector, picture)
        if face is not None:
            crop = faces.crop(picture, face.points)
            made["sface"].append(faces.normalised(crop))
            rgb = crop[None, _MESH, _MESH, ::-1].repeat(2, 1).repeat(2, 2)
            made["facemesh"].append(rgb.astype(np.float32) / np.float32(255))
    folder.mkdir(parents=True, exist_ok=True)
    files = {name: folder / f"{name}.npy" for name in NETWORKS}
    for name, arrays in made.items():
        np.save(files[name], np.stack(arrays))
    return files


def answers(model: Path, inputs: Path, runtime: Runtime) -> Arrays:
    """What `model` makes of `inputs` on this computer: one array an output, the first axis the pictures."""
    net = Runner.load(model, MODULES[runtime])
    results: list[dict[str, Any]] = [net(values) for values in np.load(inputs)]
    return [np.stack([result[name] for result in results]) for name in net.outputs]
