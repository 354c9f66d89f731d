"""door.toml: what a whole file may say, and that nothing in it can do worse than be refused."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device import config
from device.config.tables import Config, DoorTable
from device.errors import ConfigRefused, NotJoined
from device.strength import KeyPlace

DOOR = '[door]\nid = "00112233445566aa"\n'
KNOWN = [
    (table.name, field.name)
    for table in dataclasses.fields(Config)
    for field in dataclasses.fields(getattr(config.parse(DOOR), table.name))
]


def refused(text: str) -> str:
    with pytest.raises(ConfigRefused) as refusal:
        config.parse(text)
    sentence = str(refusal.value)
    assert sentence
    assert "\n" not in sentence
    return sentence


def test_a_door_with_an_id_alone_has_the_cautious_defaults() -> None:
    read = config.parse(DOOR)
    assert read.lock.tier == "face+pin", "a face alone does not open"
    assert read.report.broker == "", "nothing leaves"
    assert read.lock.window_s <= 10
    assert read.door.manager_key == ""
    assert read.vault.key_place is KeyPlace.FILE_HOST_KEY, "of all places the one that keeps least"
    assert read.vault.expiry_grace_s == 3600


def test_a_second_camera_that_is_only_specified_is_no_tier() -> None:
    assert "[lock] tier must be one of" in refused(f'{DOOR}[lock]\ntier = "nir"\n'), "docs/nir.md"
    assert "camera_nir" in refused(f'{DOOR}[camera_nir]\nbackend = "v4l2"\n')


def test_no_setting_loosens_a_rule_of_the_project() -> None:
    names = [name for _, name in KNOWN]
    for word in ("threshold", "score", "budget", "attempt", "secret", "pin_code", "template", "slot"):
        assert not [name for name in names if word in name]
    assert [name for name in names if "lamp" in name] == ["lamp_pin"]
    assert [name for name in names if name.endswith("key")] == ["manager_key"], "a public key; no other stands here"


@pytest.mark.parametrize("text", ["", "[lock]\nunlock_ms = 4000\n", '[door]\nmanager_key = ""\n'])
def test_a_door_without_an_id_has_not_joined_and_is_told_what_to_do(text: str) -> None:
    assert "doorctl join" in refused(text)
    with pytest.raises(NotJoined):
        config.parse(text)
    assert config.parse(text, without_id=True).door.id == ""


JOINED = """[door]
id = "00112233445566aa"
manager_key = "{key}"

[report]
broker = "mqtts://broker.example:8883"
""".format(key="ab" * 32)


def test_what_a_door_learned_when_it_joined_counts_as_if_it_stood_in_door_toml() -> None:
    read = config.parse("[lock]\nunlock_ms = 5000\n[report]\ncadence_s = 60\n", JOINED)
    assert read.door == DoorTable("00112233445566aa", "ab" * 32)
    assert read.report.broker == "mqtts://broker.example:8883"
    assert read.report.cadence_s == 60
    assert read.lock.unlock_ms == 5000
    assert config.parse(JOINED, JOINED) == config.parse(JOINED)


@pytest.mark.parametrize(
    "text",
    [
        '[door]\nid = "00112233445566ab"\n',
        f'[door]\nmanager_key = "{"ac" * 32}"\n',
        '[door]\nmanager_key = ""\n',
        '[report]\nbroker = ""\n',
    ],
)
def test_a_setting_that_is_two_things_in_two_files_is_refused(text: str) -> None:
    with pytest.raises(ConfigRefused, match=r"one thing in door.toml and another in joined.toml") as refusal:
        config.parse(text, JOINED)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    "joined",
    [
        '[lock]\ntier = "face"\n',
        "[report]\ncadence_s = 1\n",
        "door = 1\n",
        "report = []\n",
        'x = ""\n',
        '[door]\nid = "0"\n',
        "[door]\nid = 1\n",
        "[door",
    ],
)
def test_nothing_else_is_learned_when_a_door_joins(joined: str) -> None:
    with pytest.raises(ConfigRefused) as refusal:
        config.parse("", joined)
    assert "\n" not in str(refusal.value)


@given(st.text(max_size=100), st.text(max_size=100))
def test_any_two_texts_are_a_configuration_or_refused(text: str, joined: str) -> None:
    try:
        config.parse(text, joined)
    except ConfigRefused:
        return


def test_both_files_are_read(tmp_path: Path) -> None:
    (tmp_path / "door.toml").write_text("", encoding="utf-8")
    with pytest.raises(NotJoined):
        config.load(tmp_path / "door.toml")
    (tmp_path / "joined.toml").write_text(JOINED, encoding="utf-8")
    assert config.load(tmp_path / "door.toml") == config.parse(JOINED)


@pytest.mark.parametrize("text", ["[door", "door = ", '[door]\nid = "x', "\x00", "= 1", "[door]\n[door]\n"])
def test_what_is_no_toml_is_refused(text: str) -> None:
    assert "no TOML" in refused(text)


@pytest.mark.parametrize(
    "text",
    [
        DOOR + "[lock]\nunlock_ms = " + "9" * 5000,
        DOOR + "[lock]\nunlock_ms = 0x" + "f" * 20000,
        DOOR + "[camera]\nfps = 0x" + "f" * 20000,
        "x = " + "[" * 20000,
        DOOR + "[lock]\nunlock_ms = " + "[" * 20000 + "]" * 20000,
        "[" + ".".join("a" * 3000) + "]",
    ],
    ids=["long decimal", "long hexadecimal", "no float is so large", "deep", "deep and closed", "deep table"],
)
def test_numbers_without_end_and_nesting_without_end_are_refused(text: str) -> None:
    assert len(refused(text)) < 250


def test_an_unknown_table_is_refused_by_name() -> None:
    assert "[lokc]" in refused(DOOR + "[lokc]\n")
    assert "colour" in refused('colour = "red"\n' + DOOR)


@pytest.mark.parametrize("value", ["0", '"x"', "true", "[]", "[[1]]"])
def test_a_table_that_is_none_is_refused(value: str) -> None:
    assert "[door] must be a table" in refused(f"door = {value}")


@pytest.mark.parametrize("door_id", ["", "0" * 15, "0" * 17, "00112233445566AA", "zz112233445566aa"])
def test_a_door_id_has_one_form(door_id: str) -> None:
    assert "[door] id must be" in refused(f'[door]\nid = "{door_id}"\n')


@pytest.mark.parametrize("key", ["00", "0" * 63, "0" * 65, "G" * 64, "A" * 64])
def test_a_manager_key_has_one_form(key: str) -> None:
    assert "manager_key" in refused(DOOR + f'manager_key = "{key}"\n')


def test_one_line_has_one_owner() -> None:
    sentence = refused(DOOR + '[lock]\nlamp_pin = "GPIO17"\n')
    assert "GPIO17" in sentence
    swapped = config.parse(DOOR + '[lock]\nlamp_pin = "GPIO17"\nbolt_pin = "GPIO27"\n')
    assert swapped.lock.bolt_pin == "GPIO27"


@pytest.mark.parametrize(("low", "high"), [(100.0, 100.0), (300.0, 100.0)])
def test_a_smallest_eye_distance_above_the_largest_is_refused(low: float, high: float) -> None:
    text = f"[eye]\nmin_eye_distance_px = {low}\nmax_eye_distance_px = {high}\n"
    assert "min_eye_distance_px" in refused(DOOR + text)


def test_a_replay_camera_without_pictures_is_refused() -> None:
    assert "replay" in refused(DOOR + '[camera]\nbackend = "replay"\n')


def test_a_usb_camera_is_named_by_its_place_and_never_by_a_number() -> None:
    head = DOOR + '[camera]\nbackend = "v4l2"\n'
    assert "device must name the USB camera" in refused(head)
    for name in ("/dev/video0", "/dev/v4l/by-path/../../video0", "video0", "/dev/v4l/by-path/a/b"):
        assert "[camera] device must be" in refused(head + f'device = "{name}"\n')
    named = "/dev/v4l/by-id/usb-Maker_HD_Camera_0001-video-index0"
    assert config.parse(head + f'device = "{named}"\n').camera.device == named


@pytest.mark.parametrize("broker", ["https://x", "mqtt://", "mqtt://a b", "mqtt://user:pw@host", "mqtt://h/t", "x"])
def test_a_broker_is_a_host_and_a_port_and_holds_no_password(broker: str) -> None:
    assert "[report] broker must be" in refused(DOOR + f'[report]\nbroker = "{broker}"\n')


@pytest.mark.parametrize(
    ("vault", "place"),
    [
        ("", KeyPlace.FILE_HOST_KEY),
        ('key_store = "file"\n', KeyPlace.FILE_HOST_KEY),
        ('root_key_sealed_with = "host"\n', KeyPlace.FILE_HOST_KEY),
        ('root_key_sealed_with = "tpm2"\n', KeyPlace.FILE_TPM2_CREDENTIAL),
        ('key_store = "tpm-nv"\n', KeyPlace.TPM_NV),
        ('key_store = "tpm-nv"\nroot_key_sealed_with = "tpm2"\n', KeyPlace.TPM_NV),
    ],
)
def test_the_place_of_the_keys_is_what_the_installer_named(vault: str, place: KeyPlace) -> None:
    assert config.parse(DOOR + "[vault]\n" + vault).vault.key_place is place


@pytest.mark.parametrize("word", ["auto", "host+tpm2", "TPM2", "tpm", "", "null"])
def test_the_seal_of_the_root_key_is_named_and_never_found_out(word: str) -> None:
    assert "root_key_sealed_with must be" in refused(DOOR + f'[vault]\nroot_key_sealed_with = "{word}"\n')


def test_a_missing_file_and_a_file_that_is_no_text_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigRefused, match="there is no configuration"):
        config.load(tmp_path / "door.toml")
    with pytest.raises(ConfigRefused, match="cannot be read"):
        config.load(tmp_path)
    (tmp_path / "door.toml").write_bytes(b'[door]\nid = "\xff"\n')
    with pytest.raises(ConfigRefused, match="cannot be read"):
        config.load(tmp_path / "door.toml")


def test_a_file_is_read_as_it_is_parsed(tmp_path: Path) -> None:
    path = tmp_path / "door.toml"
    path.write_text(DOOR, encoding="utf-8")
    assert config.load(path) == config.parse(DOOR)


# ---- anything at all

scalars = st.one_of(
    st.integers().map(str),
    st.floats().map(repr),
    st.booleans().map(lambda value: str(value).lower()),
    st.text(st.characters(codec="utf-8", exclude_characters='"\\', exclude_categories=["Cc"])).map(lambda t: f'"{t}"'),
    st.sampled_from(["[]", "{}", "1979-05-27", "07:32:00", "0x" + "f" * 300, "[[[]]]", "nan", "-inf", "1_000"]),
)


@pytest.mark.slow
@given(st.dictionaries(st.sampled_from(KNOWN), scalars, max_size=4))
@settings(max_examples=300)
def test_any_value_for_any_key_is_taken_or_refused(chosen: dict[tuple[str, str], str]) -> None:
    lines = {"door": ['id = "00112233445566aa"'] if ("door", "id") not in chosen else []}
    for (table, key), value in chosen.items():
        lines.setdefault(table, []).append(f"{key} = {value}")
    text = "\n".join(f"[{table}]\n" + "\n".join(rest) for table, rest in lines.items())
    try:
        config.parse(text)
    except ConfigRefused as refusal:
        assert "\n" not in str(refusal)  # noqa: PT017 - either outcome is right; only its form is looked at


@given(st.text(max_size=200))
@settings(max_examples=300)
def test_any_text_is_a_configuration_or_refused(text: str) -> None:
    try:
        config.parse(text)
    except ConfigRefused:
        return


def test_a_door_has_no_page_unless_its_door_toml_says_so() -> None:
    assert not config.parse(DOOR).page.served
    page = config.parse(f'{DOOR}[page]\nport = 8443\nname = "door.local"\n').page
    assert page.served
    assert not page.always, "it is up only while somebody armed it at the keypad"


@pytest.mark.parametrize(
    "line", ["", "always = true", 'name = "door.local"', "port = 0\nalways = true", 'address = "127.0.0.1"']
)
def test_a_page_without_a_port_is_refused_as_far_as_anything_is_said_of_it(line: str) -> None:
    if line:
        assert "[page] needs a port" in refused(f"{DOOR}[page]\n{line}\n")
    else:
        assert not config.parse(f"{DOOR}[page]\n").page.served


@pytest.mark.parametrize(
    "line",
    [
        *('address = "0.0.0.0.0"', 'address = "999.1.1.1"', 'address = "door.local"', 'address = "::1::2"'),
        *('name = "door.local:8443"', 'name = "https://door"', 'name = "192.168.1.999"', 'name = "a b"', 'name = "-a"'),
        *("port = 65536", "port = -1", 'port = "8443"', "always = 1", "history = true"),
    ],
)
def test_a_page_that_nobody_could_call_is_refused(line: str) -> None:
    port = "" if line.startswith("port") else "port = 8443\n"
    assert "[page]" in refused(f"{DOOR}[page]\n{port}{line}\n")
