"""`doorctl consent` and `doorctl receipt`: the notice, and the papers that the door signed.

Rules kept here:
- `verify` asks no door: it works on any computer, with nothing but the paper.
- A paper that does not fit is refused in one sentence.
"""

from __future__ import annotations

import re
from pathlib import Path

import click

from device import config
from device.attestation import EndOfDoor
from device.consent import LANGUAGES
from device.desk import terms as the_terms
from device.desk.answers import Answer, answering
from device.desk.papers import files, findings
from device.desk.papers.findings import Findings
from device.errors import AttestationRefused
from device.paths import door_paths, models_dir


def _key_bytes(_context: click.Context, _parameter: click.Parameter, value: str | None) -> bytes | None:
    if value is not None and not re.fullmatch(r"[0-9a-fA-F]{64}", value):
        raise click.BadParameter("a door's key has 64 hexadecimal digits")
    return None if value is None else bytes.fromhex(value)


FILE = click.Path(path_type=Path)
door_key_option = click.option(
    "--door-key",
    callback=_key_bytes,
    metavar="HEX",
    help="The door's public key, as `doorctl audit` prints it at the door.",
)
language_option = click.option(
    "--lang", "language", type=click.Choice([*LANGUAGES, "both"]), default="both", show_default=True
)


@click.group()
def consent() -> None:
    """What people agree to when they enrol a face, and the record of it.

    \b
    Example: doorctl consent show --lang zh
    """


@consent.command("show")
@language_option
@click.option("--against", type=FILE, help="A consent record: say which parts of the terms have changed since.")
@answering
def consent_show(*, language: str, against: Path | None) -> Answer:
    """Show the notice, what else a consent rests on, and the hash that stands for agreeing to exactly this.

    \b
    Example: doorctl consent show --json
             doorctl consent show --against my-consent.txt
    """
    paths = door_paths()
    terms = the_terms.in_force(paths, models_dir())
    parts = findings.components(terms.parts)
    facts: dict[str, object] = {
        "notice": terms.notice.id,
        "texts": dict(zip(LANGUAGES, terms.notice.texts, strict=True)),
        "purpose": terms.purpose,
        "retention": terms.retention,
        "model_sha256": terms.model_sha256.hex(),
        "threshold_class": terms.threshold_class,
        "components": parts,
        "consent_hash": terms.hash.hex(),
    }
    lines = [the_terms.shown(terms.notice, language)]
    lines += [f"{name.replace('_', ' '):<17}{digest}" for name, digest in parts.items()]
    lines.append(f"{'consent hash':<17}{terms.hash.hex()}")
    if against is not None:
        door = bytes.fromhex(config.load(paths.config).door.id)
        changed = findings.changed_since(files.read(against), door, terms)
        facts["changed"] = list(changed)
        lines.append(_changed_sentence(changed))
    return Answer("\n".join(lines), facts)


@consent.command("verify")
@click.argument("file", type=FILE)
@door_key_option
@answering
def consent_verify(*, file: Path, door_key: bytes | None) -> Answer:
    """Check a signed consent record, without any door.

    \b
    Example: doorctl consent verify my-consent.txt
    """
    return _answer(findings.judge_consent(files.read(file), door_key))


@click.group()
def receipt() -> None:
    """Receipts of erasure: what the door signs when it erases a face.

    \b
    Example: doorctl receipt verify my-receipt.txt
    """


@receipt.command("verify")
@click.argument("file", type=FILE)
@click.option("--consent", "consent_file", type=FILE, help="Your consent record: the receipt must be about it.")
@door_key_option
@answering
def receipt_verify(*, file: Path, consent_file: Path | None, door_key: bytes | None) -> Answer:
    """Check a signed receipt of an erasure, or of the end of a door, without any door, and say what it proves.

    \b
    Example: doorctl receipt verify my-receipt.txt --consent my-consent.txt
    """
    read = files.read(file)
    if isinstance(read.paper, EndOfDoor) and consent_file is None:
        return _answer(findings.judge_end(read, door_key))
    agreed = files.read(consent_file) if consent_file is not None else None
    if agreed is not None:
        try:
            findings.consent_in(agreed)
        except AttestationRefused as refusal:
            msg = f"{consent_file}: {refusal}"
            raise AttestationRefused(msg) from refusal
    return _answer(findings.judge_receipt(read, agreed, door_key))


def _answer(found: Findings) -> Answer:
    return Answer(found.text, found.facts)


def _changed_sentence(changed: tuple[str, ...]) -> str:
    if not changed:
        return "Nothing has changed since that consent record: it is to these terms."
    return (
        f"Changed since that consent record: {', '.join(changed)}. A face under it sleeps until it is renewed: 06 # at "
        "the keypad and `doorctl renew`."
    )
