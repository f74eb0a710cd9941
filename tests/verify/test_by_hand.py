# SPDX-License-Identifier: Apache-2.0
"""The commands of docs/explanation/custody.md, run as they stand there, against a real ledger."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from tests.evidence.authority import LocalAuthority
from tests.verify.test_tampering import fill

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "custody.md"


def test_openssl_and_a_shell_check_what_the_page_says_they_check(tmp_path: Path) -> None:
    authority = LocalAuthority(tmp_path / "tsa")
    (tmp_path / "home").mkdir()
    vault = fill(tmp_path / "home", authority)
    vault.ledger.close()
    authority.close()
    shutil.copy(authority.root, tmp_path / "root.pem")
    ledger = vault.ledger.folder
    work = tmp_path / "work"
    work.mkdir()
    environment = {
        **os.environ,
        "LEDGER": str(ledger),
        "KEY": str(tmp_path / "home" / "trusted.vkey"),
        "ROOT": str(tmp_path / "root.pem"),
        "NUMBER": sorted((ledger / "checkpoints").glob("*.note"))[-1].stem,
        "ENTRY": "3",
    }
    blocks = re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert len(blocks) == 5
    said = []
    for block in blocks:
        run = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block],
            cwd=work, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert run.returncode == 0, (block, run.stdout, run.stderr)
        said.append(run.stdout + run.stderr)
    token, _, checkpoint, entry, leaf = said
    assert "Verification: OK" in token
    assert "Time stamp: " in token
    assert "Signature Verified Successfully" in checkpoint
    assert "Signature Verified Successfully" in entry
    assert '"actor": "ana"' in entry
    computed, kept = leaf.split()
    assert computed == kept
    assert (work / "key.pem").read_text() == vault.ledger.keys()[0].pem()
