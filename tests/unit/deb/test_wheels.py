"""Wheels are unpacked, never run; what does not belong on a door is left out or refused."""

import contextlib
import struct
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.deb import elf, wheels
from tools.deb.targets import PROCESSORS, RELEASES, Target

TRIXIE_ARM = Target(RELEASES["trixie"], PROCESSORS["arm64"])


def wheel(folder: Path, name: str, **files: bytes) -> Path:
    """A wheel of these files; `__` in a keyword stands for /."""
    path = folder / name
    with zipfile.ZipFile(path, "w") as archive:
        for member, content in files.items():
            archive.writestr(member.replace("__", "/"), content)
    return path


def shared_object(machine: int, align: int, needed: str) -> bytes:
    """A smallest shared object: one loaded segment over the whole file, and its dynamic table."""
    strings = b"\0" + needed.encode() + b"\0"
    table_at = 64 + 2 * 56
    dynamic = struct.pack("<qQqQqQ", 1, 1, 5, table_at, 0, 0)
    dynamic_at = table_at + len(strings)
    size = dynamic_at + len(dynamic)
    header = b"\x7fELF\x02\x01\x01".ljust(16, b"\0")
    header += struct.pack("<HHIQQQIHHHHHH", 3, machine, 1, 0, 64, 0, 0, 64, 56, 2, 0, 0, 0)
    load = struct.pack("<IIQQQQQQ", 1, 5, 0, 0, 0, size, size, align)
    dyn = struct.pack("<IIQQQQQQ", 2, 6, dynamic_at, dynamic_at, 0, len(dynamic), len(dynamic), 8)
    return header + load + dyn + strings + dynamic


def test_library_is_unpacked_and_commands_and_foreign_code_are_left_out(tmp_path: Path) -> None:
    made = tmp_path / "a.whl"
    with zipfile.ZipFile(made, "w") as archive:
        for name in (
            "a/__init__.py",
            "a-1.data/platlib/b.py",
            "a-1.data/scripts/run",
            "ai_edge_litert/vendors/x.so",
            "distutils-precedence.pth",
            "a/__pycache__/b.cpython-311.pyc",
            "a/__init__.pyi",
            "a/tests/test_a.py",
            "a/tests.py",
            "pygments/lexers/python.py",
            "numpy/f2py/f2py2e.py",
        ):
            archive.writestr(name, name)
    wheels.unpack(made, tmp_path / "site")
    found = {str(path.relative_to(tmp_path / "site")) for path in (tmp_path / "site").rglob("*") if path.is_file()}
    assert found == {"a/__init__.py", "a/tests.py", "b.py"}


@pytest.mark.parametrize("name", ["../escaped.py", "/escaped.py", "a/../../escaped.py"])
def test_wheel_that_writes_outside_its_folder_is_refused(name: str, tmp_path: Path) -> None:
    made = tmp_path / "a.whl"
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr(name, b"")
    with pytest.raises(wheels.WheelRefused, match="outside"):
        wheels.unpack(made, tmp_path / "in" / "site")
    assert not list(tmp_path.rglob("escaped.py"))


def test_two_wheels_with_one_file_are_refused(tmp_path: Path) -> None:
    wheels.unpack(wheel(tmp_path, "a.whl", x=b"1"), tmp_path / "site")
    with pytest.raises(wheels.WheelRefused, match="another wheel"):
        wheels.unpack(wheel(tmp_path, "b.whl", x=b"2"), tmp_path / "site")
    assert (tmp_path / "site" / "x").read_bytes() == b"1"


def test_half_a_wheel_is_refused(tmp_path: Path) -> None:
    made = wheel(tmp_path, "a.whl", x=b"1" * 1000)
    made.write_bytes(made.read_bytes()[:200])
    with pytest.raises(wheels.WheelRefused, match="no whole wheel"):
        wheels.unpack(made, tmp_path / "site")


@pytest.mark.parametrize(
    ("machine", "align", "needed", "sentence"),
    [
        (62, 65536, "libc.so.6", "another processor"),
        (183, 4096, "libc.so.6", "pages of 4096"),
        (183, 65536, "libcuda.so.1", "libcuda.so.1"),
    ],
)
def test_shared_object_that_a_door_could_not_load_stops_the_build(
    machine: int, align: int, needed: str, sentence: str, tmp_path: Path
) -> None:
    (tmp_path / "x.so").write_bytes(shared_object(machine, align, needed))
    with pytest.raises(wheels.WheelRefused, match=sentence):
        wheels.check(tmp_path, TRIXIE_ARM)


def test_libraries_of_the_system_become_packages_and_own_ones_do_not(tmp_path: Path) -> None:
    (tmp_path / "x.so").write_bytes(shared_object(183, 65536, "libstdc++.so.6"))
    (tmp_path / "y.so.5").write_bytes(shared_object(183, 16384, "x.so"))
    assert wheels.check(tmp_path, TRIXIE_ARM) == {"libstdc++6"}


@given(st.binary(max_size=400), st.integers(0, 300))
def test_no_bytes_crash_the_reader_of_elf_files(rubbish: bytes, at: int) -> None:
    whole = shared_object(183, 16384, "libc.so.6")
    for content in (rubbish, whole[:at], whole[:at] + rubbish):
        with contextlib.suppress(elf.NoElf):  # anything else fails the test
            assert elf.read(content, "x.so").machine >= 0
