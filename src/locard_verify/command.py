# SPDX-License-Identifier: Apache-2.0
"""`locard-verify`: the judgement as a command, for a machine that has nothing else of Locard."""

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from cryptography import x509

from locard_verify import __version__
from locard_verify.bag import MANIFEST
from locard_verify.bundle import verify_bundle
from locard_verify.keys import Key, read_key
from locard_verify.ledger import verify_ledger
from locard_verify.malformed import Malformed
from locard_verify.seal import NAME as SEAL
from locard_verify.stamp import certificates
from locard_verify.vault import verify_vault
from locard_verify.verdict import State, Verdict

EXAMPLES = """examples:
  locard-verify ~/.locard/vault --key trusted.vkey
  locard-verify copy-of/vault/ledger --roots tsa-root.pem --checkpoint kept.note
  locard-verify bundle.zip --key sender.vkey
  locard-verify ~/.locard/vault --json

exit status: 0 nothing failed, 1 something did, 2 it could not be looked at"""

Progress = Callable[[int, int], None]


class Mistake(Exception):
    """What was asked for cannot be looked at. The message is a sentence."""


def judge(
    path: Path,
    trusted: Sequence[Key],
    roots: Sequence[x509.Certificate] | None,
    kept: Sequence[bytes],
    progress: Progress,
) -> Verdict:
    """The verdict on whatever lies at `path`: bundle, vault or ledger. Raises `Mistake`."""
    if (path / "ledger" / "entries").is_file():
        return verify_vault(path, trusted, roots, kept, progress=progress)
    if (path / "entries").is_file():
        return verify_ledger(path, trusted, roots, kept, progress=progress)
    if path.is_file() or any((path / name).is_file() for name in ("bagit.txt", MANIFEST, SEAL)):
        if kept:
            raise Mistake("A checkpoint that you kept is compared with a ledger, not a bundle.")
        return verify_bundle(path, trusted, roots, progress=progress)
    if not path.exists():
        raise Mistake(f"There is no {path}.")
    raise Mistake(f"{path} is neither a bundle nor a vault nor a ledger.")


def keys(paths: Sequence[Path]) -> list[Key]:
    """The keys in these files, one a line. Raises `Mistake`."""
    found: list[Key] = []
    for path in paths:
        try:
            lines = path.read_text("utf-8").split("\n")
            found += [read_key(line) for line in lines if line.strip()]
        except (OSError, UnicodeDecodeError, Malformed) as error:
            raise Mistake(f"{path} holds no verifier key: {error}.") from error
    return found


def root_certificates(paths: Sequence[Path]) -> list[x509.Certificate] | None:
    """The certificates in these files, or None without any. Raises `Mistake`."""
    if not paths:
        return None
    try:
        return [one for path in paths for one in certificates(path.read_bytes())]
    except (OSError, Malformed) as error:
        raise Mistake(f"A root certificate cannot be read: {error}.") from error


def notes(paths: Sequence[Path]) -> list[bytes]:
    """The checkpoints in these files. Raises `Mistake`."""
    try:
        return [path.read_bytes() for path in paths]
    except OSError as error:
        raise Mistake(f"A checkpoint cannot be read: {error}.") from error


def shown(verdict: Verdict) -> str:
    """A verdict as lines of text."""
    mark = {State.PASS: "pass", State.FAIL: "FAIL", State.NOT_CHECKED: "  - "}
    lines = []
    for clause in verdict.clauses:
        where = f"  [{clause.where}]" if clause.where else ""
        lines.append(f"{mark[clause.state]}  {clause.name:<12} {_plain(clause.detail + where)}")
    lines.append("Nothing failed." if verdict.passed else "NOT verified.")
    return "\n".join(lines)


def as_json(verdict: Verdict) -> str:
    """A verdict for scripts."""
    clauses = [asdict(clause) for clause in verdict.clauses]
    return json.dumps({"passed": verdict.passed, "clauses": clauses})


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit status."""
    parser = argparse.ArgumentParser(
        "locard-verify",
        description="Verify a sealed bundle, a vault or a custody ledger of Locard with public "
        "keys alone: no server, no network, nothing else of Locard.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "path", type=Path, help="a bundle (folder, zip or tar), a vault, or its folder 'ledger'"
    )
    parser.add_argument("--key", type=Path, action="append", default=[], metavar="FILE",
                        help="a verifier key that you got elsewhere; may be repeated")  # fmt: skip
    parser.add_argument("--roots", type=Path, action="append", default=[], metavar="FILE",
                        help="root certificates (PEM) of time-stamping authorities that you trust; "
                        "those beside the ledger when left out")  # fmt: skip
    parser.add_argument("--checkpoint", type=Path, action="append", default=[], metavar="FILE",
                        help="a checkpoint of this ledger that you kept from earlier")  # fmt: skip
    parser.add_argument("--json", action="store_true", help="answer as JSON")
    parser.add_argument("--version", action="version", version=f"locard-verify {__version__}")
    asked = parser.parse_args(arguments)
    try:
        verdict = judge(
            asked.path,
            keys(asked.key),
            root_certificates(asked.roots),
            notes(asked.checkpoint),
            progress(),
        )
    except (Mistake, OSError) as error:
        sys.stderr.write(f"locard-verify: {error}\n")
        return 2
    sys.stdout.write((as_json(verdict) if asked.json else shown(verdict)) + "\n")
    return 0 if verdict.passed else 1


def progress() -> Progress:
    """Percent on a terminal, a few times a second; nothing on a pipe."""
    if not sys.stderr.isatty():
        return lambda _done, _whole: None
    said = 0.0

    def tell(done: int, whole: int) -> None:
        nonlocal said
        if time.monotonic() - said > 0.2 or done == whole:
            said = time.monotonic()
            sys.stderr.write(f"\r{100 * done // max(whole, 1):>3} %\r")

    return tell


def _plain(text: str) -> str:
    """Text of evidence made safe for a terminal."""
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)
