"""Print how networks that should agree do agree: runtimes with each other, int8 with float, shipped with tried.

Rules: float32 is the reference; agreement of embeddings is their cosine, of landmarks their distance in eye distances;
times are the least of many runs on one thread of the machine named, good for ratios and for nothing else.

    python -m tools.models.compare --faces DIR --variants DIR [--every N] [--border PX]

--variants: the folder that `python -m tools.models.rebuild --variants --out DIR` wrote.
"""

import argparse
import platform
import time
from pathlib import Path

import numpy as np

from tools.models import faces
from tools.models.faces import Picture
from tools.models.runner import RUNTIMES, Floats, Runner

ROOT = Path(__file__).resolve().parents[2]
SLOW = 100  # crops for the runtime that has no fast int8 kernels on x86-64
RUNS = 30


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description="Compare runtimes, int8 with float, shipped with tried.")
    parser.add_argument("--faces", type=Path, required=True, help="DIR/person/picture.jpg")
    parser.add_argument("--variants", type=Path, required=True)
    parser.add_argument("--models", type=Path, default=ROOT / "models")
    parser.add_argument("--every", type=int, default=6, help="take every n-th picture")
    parser.add_argument("--border", type=int, default=0, help="px of black frame added before detecting")
    options = parser.parse_args()
    print(f"{platform.machine()}, Python {platform.python_version()}; every {options.every}th picture")
    pictures = _pictures(options.faces, options.every, options.border)
    crops = detectors(pictures, options.models / "yunet.tflite", options.variants / "yunet-int8.tflite")
    embedders(crops, options.models, options.variants)
    runtimes(crops, pictures, options.models)


def detectors(pictures: list[Picture], shipped: Path, tried: Path) -> list[Picture]:
    """The tried detector against the shipped one. Returns the crops the shipped one leads to."""
    reference, other = Runner.load(shipped), Runner.load(tried)
    embedder = Runner.load(shipped.with_name("sface.tflite"))
    crops, lost, deviation, cosine = [], 0, [], []
    for picture in pictures:
        face, seen = faces.main_face(reference, picture), faces.main_face(other, picture)
        if face is None:
            continue
        crops.append(faces.crop(picture, face.points))
        if seen is None or faces.overlap(face.box, seen.box) < 0.5:
            lost += 1
            continue
        across = np.linalg.norm(face.points[1] - face.points[0])
        deviation.append(np.linalg.norm(seen.points - face.points, axis=1).mean() / across)
        cosine.append(float(faces.embed(embedder, crops[-1]) @ faces.embed(embedder, faces.crop(picture, seen.points))))
    print(f"\n{tried.stem} against {shipped.stem}: {len(crops)} faces of {len(pictures)}, {lost} lost")
    print(f"  landmarks, eye distances: mean {np.mean(deviation):.4f}, 95 % {np.quantile(deviation, 0.95):.4f}")
    print(f"  cosine of the embeddings after alignment: {_spread(cosine)}")
    return crops


def embedders(crops: list[Picture], models: Path, variants: Path) -> None:
    """Every int8 embedder against float, as photographed and darkened."""
    reference = Runner.load(variants / "sface-float32.tflite")
    dark = [darkened(crop, seed) for seed, crop in enumerate(crops)]
    expected, expected_dark = ([faces.embed(reference, c) for c in kind] for kind in (crops, dark))
    print(f"\nint8 against float, cosine of embeddings, {len(crops)} crops; then the same crops darkened")
    for path in (models / "sface.tflite", *sorted(variants.glob("sface-*.tflite"))):
        net = Runner.load(path)
        clean = [float(e @ faces.embed(net, c)) for e, c in zip(expected, crops, strict=True)]
        low = [float(e @ faces.embed(net, c)) for e, c in zip(expected_dark, dark, strict=True)]
        print(f"  {path.stem:17} {_spread(clean)}; dark {_spread(low)}")


def runtimes(crops: list[Picture], pictures: list[Picture], models: Path) -> None:
    """Both runtimes on the shipped files: agreement and time."""
    print(f"\nRuntimes, one thread: agreement on {min(SLOW, len(crops))} pictures, least of {RUNS} runs")
    canvas = [faces.fit(p, 256, 320)[0][None].astype(np.float32) for p in pictures[:SLOW]]
    mesh = [np.asarray(c[None, 16:, 16:], np.float32).repeat(2, 1).repeat(2, 2) / 255 for c in crops[:SLOW]]
    inputs = {"yunet": canvas, "facemesh": mesh, "sface": [faces.normalised(c) for c in crops[:SLOW]]}
    for name, values in inputs.items():
        nets = [Runner.load(models / f"{name}.tflite", runtime) for runtime in RUNTIMES[:2]]
        for output in nets[0].outputs:
            a, b = (np.stack([net(v)[output].ravel() for v in values]) for net in nets)
            cosine = (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
            print(f"  {name} {output}: cosine {_spread(list(cosine))}, largest difference {np.abs(a - b).max():.2g}")
        for net in nets:
            print(f"  {name} {net.runtime.split('.')[0]}: {_least_ms(net, values[0]):.1f} ms")


def darkened(crop: Picture, seed: int) -> Picture:
    """Gamma 2.5, half the brightness, sensor noise of 4 grey levels."""
    noise = np.random.default_rng(seed).normal(0, 4, crop.shape)
    return np.clip((crop / 255.0) ** 2.5 * 127.5 + noise, 0, 255).astype(np.uint8)


def _pictures(root: Path, every: int, border_px: int) -> list[Picture]:
    found = []
    for path in sorted(root.glob("*/*.jpg"))[::every]:
        try:
            found.append(faces.read(path, border_px))
        except OSError:
            print(f"{path.name} cannot be decoded and is left out")
    return found


def _spread(values: list[float]) -> str:
    return f"least {min(values):.4f}, mean {np.mean(values):.4f}"


def _least_ms(net: Runner, values: Floats) -> float:
    took = []
    for _ in range(RUNS):
        start = time.perf_counter()
        net(values)
        took.append(time.perf_counter() - start)
    return min(took) * 1e3


if __name__ == "__main__":
    main()
