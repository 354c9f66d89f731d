"""Both runtimes on the real networks: they run only what the manifest declares, and they agree."""

import dataclasses
import subprocess
import sys
from collections.abc import Callable
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from device import manifest
from device.errors import ModelRefused
from device.eye.runtime import Network, Runtime, installed
from device.manifest import Job, ModelEntry
from device.paths import models_dir
from tools.samples import sample

RUNTIMES = sorted(installed())
JOBS = list(Job)


def entry(job: Job) -> ModelEntry:
    return manifest.load(models_dir()).for_job(job)


@lru_cache(maxsize=12)
def network(job: Job, runtime: Runtime) -> Network:
    return Network.load(entry(job), models_dir(), runtime)


def something(job: Job, seed: int = 4) -> npt.NDArray[np.generic]:
    """An input of the right kind that is not flat."""
    tensor = entry(job).input
    values = np.random.default_rng(seed).integers(0, 256, tensor.shape)
    if tensor.dtype == "int8":
        return (values - 128).astype(np.int8)
    return (values / (255 if "0..1" in tensor.meaning else 1)).astype(np.float32)


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("job", JOBS)
def test_shipped_network_is_what_the_manifest_says(job: Job, runtime: Runtime) -> None:
    outputs = network(job, runtime).run(something(job))
    assert [out.shape for out in outputs] == [tensor.shape for tensor in entry(job).outputs]
    assert all(out.dtype == np.float32 and np.isfinite(out).all() for out in outputs)


@pytest.mark.parametrize("job", [Job.DETECT, Job.LANDMARKS])
def test_runtimes_agree(job: Job) -> None:
    """On noise; the embedder, which knows nothing but faces, is compared on faces (test_sight)."""
    if len(RUNTIMES) < 2:
        pytest.skip("only one runtime is installed")
    first, second = (network(job, runtime).run(something(job)) for runtime in RUNTIMES)
    for one, other in zip(first, second, strict=True):
        lengths = float(np.linalg.norm(one) * np.linalg.norm(other))
        assert float(np.vdot(one, other)) >= 0.99 * lengths


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_feeding_in_place_gives_what_run_gives(runtime: Runtime) -> None:
    net = network(Job.EMBED, runtime)
    values = something(Job.EMBED)
    plain = net.run(values)[0]
    net.run(something(Job.EMBED, 5))
    net.feed(lambda view: np.copyto(view, values))
    net.invoke_only()
    tensor = net.entry.outputs[0]
    stored = net.fetch(0)
    assert np.allclose((stored.astype(float) - tensor.zero_point) * tensor.scale, plain)
    net.run(something(Job.EMBED, 5))
    assert np.array_equal(stored, np.rint(plain / tensor.scale + tensor.zero_point))  # a copy: it stays


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_forgetting_overwrites_input_and_output(runtime: Runtime) -> None:
    net = network(Job.EMBED, runtime)
    blank = net.run(np.zeros(net.entry.input.shape, np.int8))[0]
    assert not np.array_equal(net.run(something(Job.EMBED))[0], blank)
    net.forget()
    kept: list[bool] = []
    net.feed(lambda view: kept.append(bool(view.any())))
    tensor = net.entry.outputs[0]
    assert kept == [False]
    assert np.allclose((net.fetch(0).astype(float) - tensor.zero_point) * tensor.scale, blank)


Change = Callable[[ModelEntry], ModelEntry]


def output(which: int, **changes: object) -> Change:
    def change(old: ModelEntry) -> ModelEntry:
        outputs = list(old.outputs)
        outputs[which] = dataclasses.replace(outputs[which], **changes)  # type: ignore[arg-type]  # by name
        return dataclasses.replace(old, outputs=tuple(outputs))

    return change


def input_(**changes: object) -> Change:
    return lambda old: dataclasses.replace(
        old,
        input=dataclasses.replace(old.input, **changes),  # type: ignore[arg-type]  # by name
    )


def without_an_output(old: ModelEntry) -> ModelEntry:
    return dataclasses.replace(old, outputs=old.outputs[1:])


def with_one_more_output(old: ModelEntry) -> ModelEntry:
    return dataclasses.replace(old, outputs=(*old.outputs, dataclasses.replace(old.outputs[0], name="extra")))


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("job", [Job.DETECT, Job.EMBED])
@pytest.mark.parametrize(
    "change",
    [
        without_an_output,
        with_one_more_output,
        output(0, name="other"),
        output(0, shape=(1, 7)),
        output(0, dtype="uint8"),
        output(0, scale=0.5),
        output(0, zero_point=9),
        input_(name="other"),
        input_(shape=(1, 8, 8, 3)),
        input_(dtype="uint8"),
        input_(scale=0.25),
        input_(zero_point=1),
    ],
)
def test_network_that_differs_from_its_entry_is_refused(runtime: Runtime, job: Job, change: Change) -> None:
    model = manifest.load_model_bytes(entry(job), models_dir())
    with pytest.raises(ModelRefused, match=r"\.tflite"):
        Network.from_bytes(change(entry(job)), model, runtime)


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("model", [b"", b"not a network", b"\x1c\0\0\0TFL3" + b"\0" * 64])
def test_what_is_no_network_is_refused_in_words(runtime: Runtime, model: bytes) -> None:
    with pytest.raises(ModelRefused, match="cannot be run"):
        Network.from_bytes(entry(Job.EMBED), model, runtime)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_input_of_the_wrong_kind_is_refused(runtime: Runtime) -> None:
    net = network(Job.EMBED, runtime)
    for bad in (np.zeros((1, 112, 112, 3), np.uint8), np.zeros((112, 112, 3), np.int8)):
        with pytest.raises(ModelRefused, match="takes int8"):
            net.run(bad)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_loading_says_nothing_that_is_only_information(runtime: Runtime) -> None:
    code = (
        f"import sys; sys.path[:0] = {sys.path!r}\n"
        "from device import manifest; from device.eye.runtime import Network, Runtime\n"
        "from device.manifest import Job; from device.paths import models_dir\n"
        f"net = Network.load(manifest.load(models_dir()).for_job(Job.EMBED), models_dir(), Runtime('{runtime}'))\n"
        "net.forget(); print('loud', file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr.split() == ["loud"]


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_face_mesh_sees_a_face_where_there_is_one(runtime: Runtime) -> None:
    """Eye loads it only when liveness needs it; it is shipped, so it is tried."""
    net = network(Job.LANDMARKS, runtime)
    presence = [tensor.meaning for tensor in net.entry.outputs].index("presence")

    def logit(rgb: npt.NDArray[np.float32]) -> float:
        return float(net.run(rgb[None])[presence].reshape(()))

    with Image.open(sample("astronaut.png")) as opened:
        face = opened.convert("RGB").crop((140, 20, 310, 190)).resize((192, 192))
    assert logit((np.asarray(face) / 255).astype(np.float32)) > 4  # logit: 98 %
    noise = np.random.default_rng(1).random((192, 192, 3)).astype(np.float32)
    assert logit(noise) < -4
    assert logit(np.full((192, 192, 3), 0.5, np.float32)) < -4
