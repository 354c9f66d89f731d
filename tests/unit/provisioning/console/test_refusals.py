"""What the fleet refuses, in the reader's language: every sentence that a console can reach has its translation."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from string import Formatter
from types import MappingProxyType

import pytest

from provisioning.console import refusals, wording
from tests.support.console import PASSPHRASE, Desk, alert

ROOT = Path(__file__).parents[4]
REACHED = """
import sys, provisioning.console.server
print(*sorted(name for name in sys.modules if name.startswith(("provisioning.", "device."))))
"""
NOT_HERE = {
    "device.attestation": {"sign": "the door signs"},
    "device.bodies": {"unpack": "the door reads it", "refuse": "", "_refuse_successor": "a rotation is a command"},
    "device.certificates": dict.fromkeys(
        ("key_from_pem", "refuse_unfit", "refuse_foreign", "key_of"), "the door looks at its own"
    ),
    "device.codec": dict.fromkeys(("_field_of", "put", "take", "pack", "unpack"), "messages between the door's rooms"),
    "device.config": {"": "door.toml is the door's"},
    "device.config.contradictions": {"": "door.toml is the door's"},
    "device.consent": {"": "the door's notices"},
    "device.document": dict.fromkeys(
        ("parse", "_verify", "_refuse_itself", "_refuse_numbers"),
        "the door reads it; here numbers are checked before",
    )
    | {"sealed_box": "`door send` looks at a file"},
    "device.joining": dict.fromkeys(("_unchecked", "read", "believed"), "the door reads labels and answers"),
    "device.learned": {"": "joined.toml is the door's"},
    "device.manifest": {"": "the door's models"},
    "device.offers": dict.fromkeys(
        ("unpack", "_refuse_offers", "_refuse_times"), "the door reads it; here numbers are checked before"
    ),
    "device.settings": {"": "door.toml is the door's"},
    "device.tried": {"": "the door's tries"},
    "device.wire.base": {"": "messages between the door's rooms"},
    "provisioning.accounts": {"of": "a store that is none of ours"},
    "provisioning.authority": {"create": "`ca init` is a command"},
    "provisioning.certificates": dict.fromkeys(
        ("manager", "_reached_by", "issue_broker", "succeeded"), "certificates of brokers and managers are commands"
    ),
    "provisioning.console.server": {"": "said at the start, to whoever started it"},
    "provisioning.files": {"refuse_unwritable": "files that a command names"},
    "provisioning.fleet": {"init": "a command", "_need_packages": "said at the start", "identify": "a command"},
    "provisioning.identity": {"read": "a command", "typed": "a command"},
    "provisioning.labels": {"read": "said at the start"},
    "provisioning.line": {"_sock_recv": "ends the connection; the next sentence says so"},
    "provisioning.options": {"": "said at the start"},
    "provisioning.reporting": dict.fromkeys(
        ("load_key", "_opened", "_senseless", "_parts"), "said at the start, or to `doorward watch`"
    ),
    "provisioning.retiring": {"give_up": "reads a file's name from the command line"},
    "provisioning.rotation": dict.fromkeys(("_document", "_remove"), "a rotation is a command"),
    "provisioning.sheets": {"": "sheets as files are commands"},
    "provisioning.store_engine": dict.fromkeys(("postgresql_engine", "_no_address"), "said at the start"),
    "provisioning.store_revoked": dict.fromkeys(("add_login", "revoke_logins"), "managers' certificates are commands"),
    "provisioning.store_rows": {"": "becomes: ... is damaged"},
    "provisioning.store_schema": {"make": "a command"},
    "provisioning.store_sql": {"rotate": "a command"},
    "provisioning.stores": {"": "said at the start"},
    "provisioning.timetable": {"read": "a command", "parse": "a command"},
}
"""What no page of a console can say, by module and function (all of it: ""), and why not."""


def template(node: ast.expr) -> str:
    """The text of a string or an f-string, with {} for each value; "" if it is none."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    return ""


def sentences(function: ast.FunctionDef) -> Iterator[str]:
    """The templates of what a function refuses, or says of a row that cannot be."""
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found = template(node.value) if node.targets[0].id in {"msg", "why", "sentence"} else ""
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
            ends = ("Refused", "Fault", "Unequal")
            found = template(node.args[0]) if node.func.id.endswith(ends) else ""
            if node.func.id == "Row" and len(node.args) > 2:
                found = template(node.args[2])
        else:
            found = ""
        if found:
            yield found


@cache
def said_by_the_code() -> Mapping[str, str]:
    """Every template that a console can say, and where it stands. Reading all of the code takes a second."""
    done = subprocess.run([sys.executable, "-c", REACHED], cwd=ROOT, capture_output=True, text=True, check=True)
    found: dict[str, str] = {}
    for module in done.stdout.split():
        path = ROOT / (module.replace(".", "/") + ".py")
        if not path.exists():
            path = path.with_suffix("") / "__init__.py"
        for function in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(function, ast.FunctionDef):
                continue
            without = NOT_HERE.get(module, {})
            if "" not in without and function.name not in without:
                found |= dict.fromkeys(sentences(function), f"{module}.{function.name}")
    return MappingProxyType(found)


def test_every_refusal_of_the_console_has_its_chinese_sentence() -> None:
    code, chinese = said_by_the_code(), refusals.templates("zh")
    assert len(code) > 150, "the test reads the code"
    assert {each: where for each, where in code.items() if each not in chinese} == {}


def test_seeded_fault_a_sentence_without_translation_is_found() -> None:
    chinese = refusals.templates("zh")
    gone = 'there is no door named "{}" in this fleet'
    assert gone in said_by_the_code()
    assert gone in chinese
    del chinese[gone]
    assert set(said_by_the_code()) - set(chinese) == {gone}


@pytest.mark.parametrize("language", wording.LANGUAGES)
def test_a_translation_has_the_values_of_its_sentence_and_no_other(language: str) -> None:
    for english, said in refusals.templates(language).items():
        gaps = english.count("{}")
        names = [name for _, name, _, _ in Formatter().parse(said) if name is not None]
        fits = Counter(names) == Counter([""] * gaps) or sorted(names) == [str(at) for at in range(gaps)]
        assert fits, (english, said)
        assert said.format(*["x"] * gaps)


def test_no_translation_is_of_a_sentence_that_nobody_says() -> None:
    texts = "\n".join(path.read_text("utf-8") for path in (ROOT / "provisioning").rglob("*.py"))
    texts += "\n".join(path.read_text("utf-8") for path in (ROOT / "device").rglob("*.py"))
    known = set(said_by_the_code())
    parts = {each for each in refusals.templates("zh") if each not in known}
    # Parts of sentences, and what the operating system says, are no sentences of a `raise`.
    system = {"connection refused", "no route to host", "network is unreachable", "timed out"}
    system |= {"No space left on device", "Permission denied", "No such file or directory"}
    system |= {"Read-only file system", "Input/output error", "receipt", "consent record"}
    for each in parts - system:
        first = max(each.split("{}"), key=len)
        assert first in texts, each
    assert set(refusals.templates("en")) <= known


def test_a_value_may_be_anything() -> None:
    chinese = wording.words("zh")
    for name in ("a{}b", "{0}", "%s", '"', 'x" in this fleet', "", "名称", "\n", "x" * 500):
        said = chinese.refusal(f'there is no door named "{name}" in this fleet')
        assert said == f"此门群中没有名为“{name}”的门。"
    assert chinese.refusal("nobody has translated this") == "Nobody has translated this。"
    assert wording.words("en").refusal("x" * 5000).startswith("X")


def test_a_part_that_is_ours_is_translated_too() -> None:
    chinese = wording.words("zh")
    said = chinese.refusal("on Mondays at 07:00 the door would open by face but not by PIN")
    assert said == "星期一 07:00，门能用人脸打开，却不能用密码打开。"
    away = "the broker h:1 cannot be reached: its certificate is not accepted: expired"
    assert chinese.refusal(away) == "无法连接消息服务器 h:1：它的证书不被接受：expired。"


def test_a_page_in_chinese_refuses_in_chinese(desk: Desk) -> None:
    browser = desk.signed_in()
    browser.client.cookies.set("doorward-language", "zh")
    path = f"/doors/{desk.door.id}"
    refused = [
        browser.send(f"{path}/offer", path, slot="0", days="14", passphrase=PASSPHRASE),
        browser.send(f"{path}/offer", path, slot="1", days="14", passphrase="wrong passphrase"),
        browser.send(f"{path}/offer", path, slot="1", days="14", timetable="9", passphrase=PASSPHRASE),
        browser.send(f"{path}/end", path, slot="7", passphrase=PASSPHRASE, meant="yes"),
        browser.send(f"{path}/end", path, slot="7", passphrase=PASSPHRASE),
        browser.send(f"{path}/place", path, building="x" * 65, floor=""),
        browser.send("/doors", "/import", name="Front"),
        browser.send("/import", "/import", once="1", text="name\n=1\n"),
        browser.send("/users", "/users", name="ada", role="owner"),
        browser.send("/users", "/users", name="Größe", role="owner"),
        browser.send("/account", "/account", old="lions eat no grass", new="short", again="short"),
        browser.get("/doors/0000000000000000"),
    ]
    for said in refused:
        sentence = alert(said)
        assert said.status_code == 400, sentence
        assert sentence.endswith("。"), sentence
        assert not [word for word in sentence.split() if word.isascii() and word.isalpha() and len(word) > 7], sentence
