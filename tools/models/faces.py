"""Find the face in a picture and cut the aligned crop: the plain reference that builds and measurements use.

Rules: numpy and Pillow only; pictures are H x W x 3 uint8 BGR; points are (x, y) in pixels of that picture; a picture
in which nothing reaches the score threshold yields None, never a guess.
"""

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from tools.models.runner import Floats, Runner

Picture = npt.NDArray[np.uint8]
STRIDES = (8, 16, 32)
SCORE = 0.6
CROP = 112
# Five points (eyes, nose, mouth corners, as seen) in the 112 x 112 crop. Source: ArcFace (Deng et al., 2019).
TEMPLATE = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)


@dataclass(frozen=True)
class Face:
    """One detection. box: x, y, width, height; points: (5, 2)."""

    score: float
    box: npt.NDArray[np.float64]
    points: npt.NDArray[np.float64]


def read(source: Path | bytes, border_px: int = 0) -> Picture:
    """Decode a picture to BGR, optionally with a black border."""
    opened = Image.open(io.BytesIO(source) if isinstance(source, bytes) else source)
    bgr = np.asarray(opened.convert("RGB"))[:, :, ::-1]
    return np.pad(bgr, ((border_px, border_px), (border_px, border_px), (0, 0)))


def fit(picture: Picture, height: int, width: int) -> tuple[Picture, float]:
    """Scale into height x width, anchored top left, the rest black. Returns the canvas and canvas px per picture px."""
    h, w = picture.shape[:2]
    factor = min(height / h, width / w)
    size = (max(1, round(w * factor)), max(1, round(h * factor)))
    small = np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BILINEAR))
    canvas = np.zeros((height, width, 3), np.uint8)
    canvas[: size[1], : size[0]] = small
    return canvas, factor


def candidates(detector: Runner, picture: Picture, score: float = SCORE) -> list[Face]:
    """All cells above `score`, before suppression, in picture coordinates."""
    height, width = (int(n) for n in detector.input["shape"][1:3])
    canvas, factor = fit(picture, height, width)
    out = detector(canvas[None].astype(np.float32))
    found = []
    for stride in STRIDES:
        joint = np.sqrt(np.clip(out[f"cls_{stride}"], 0, 1) * np.clip(out[f"obj_{stride}"], 0, 1))[0, :, 0]
        for cell in np.flatnonzero(joint > score):
            at = np.array([cell % (width // stride), cell // (width // stride)], np.float64)
            box = out[f"bbox_{stride}"][0, cell].astype(np.float64)
            size = np.exp(box[2:]) * stride
            corner = (at + box[:2]) * stride - size / 2
            points = (out[f"kps_{stride}"][0, cell].reshape(5, 2) + at) * stride
            found.append(Face(float(joint[cell]), np.concatenate([corner, size]) / factor, points / factor))
    return found


def main_face(detector: Runner, picture: Picture, score: float = SCORE) -> Face | None:
    """The largest face near the middle: within one face, the cell with the highest score."""
    found = candidates(detector, picture, score)
    if not found:
        return None
    middle = np.array(picture.shape[1::-1]) / 2

    def prominence(face: Face) -> float:
        offset = face.box[:2] + face.box[2:] / 2 - middle
        return float(face.box[2] * face.box[3] - 2 * (offset**2).sum())

    chosen = max(found, key=prominence)
    return max((f for f in found if overlap(f.box, chosen.box) > 0.3), key=lambda f: f.score)


def overlap(a: npt.NDArray[np.float64], b: npt.NDArray[np.float64]) -> float:
    """Intersection over union of two boxes."""
    low, high = np.maximum(a[:2], b[:2]), np.minimum(a[:2] + a[2:], b[:2] + b[2:])
    common = float(np.prod(np.maximum(high - low, 0)))
    return common / (float(a[2] * a[3] + b[2] * b[3]) - common)


def similarity(points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """2 x 3 matrix, picture to crop: least squares rotation, scale, shift. Source: Umeyama, IEEE TPAMI 13 (1991)."""
    mean_from, mean_to = points.mean(0), TEMPLATE.mean(0)
    a, b = points - mean_from, TEMPLATE - mean_to
    u, s, vt = np.linalg.svd(b.T @ a)
    flip = np.array([1.0, np.sign(np.linalg.det(u @ vt))])
    linear = (s * flip).sum() / (a**2).sum() * (u * flip) @ vt
    return np.column_stack([linear, mean_to - linear @ mean_from])


def crop(picture: Picture, points: npt.NDArray[np.float64]) -> Picture:
    """The aligned 112 x 112 crop, bilinear, black outside the picture."""
    matrix = similarity(points)
    inverse = np.linalg.inv(matrix[:, :2])
    ys, xs = np.mgrid[0:CROP, 0:CROP]
    at = inverse @ (np.stack([xs.ravel(), ys.ravel()]) - matrix[:, 2:])
    padded = np.pad(picture.astype(np.float64), ((1, 1), (1, 1), (0, 0)))
    limit = np.array(padded.shape[1::-1])[:, None] - 1.001
    at = np.clip(at + 1, 0, limit)
    low = np.floor(at).astype(int)
    fx, fy = (at - low)[:, :, None]
    x, y = low
    top = padded[y, x] * (1 - fx) + padded[y, x + 1] * fx
    bottom = padded[y + 1, x] * (1 - fx) + padded[y + 1, x + 1] * fx
    mixed = top * (1 - fy) + bottom * fy
    aligned: Picture = np.rint(mixed).astype(np.uint8).reshape(CROP, CROP, 3)
    return aligned


def normalised(aligned: Picture) -> Floats:
    """(1, 112, 112, 3) float32, (p - 128) / 128: the float meaning of SFace's int8 input, pixel - 128."""
    return ((aligned[None].astype(np.float32) - 128) / 128).astype(np.float32)


def embed(embedder: Runner, aligned: Picture) -> Floats:
    """Embedding of an aligned crop, (128,), of length 1."""
    vector = embedder(normalised(aligned))["embedding"][0]
    unit: Floats = (vector / np.linalg.norm(vector)).astype(np.float32)
    return unit
