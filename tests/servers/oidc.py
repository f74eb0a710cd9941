# SPDX-License-Identifier: Apache-2.0
"""An OpenID provider: node-oidc-provider, certified, with people whom the tests name.

It comes from npm. Its sign-in and consent pages take any password; what it says of a person is what
`people` told it, and `fault` makes its ID tokens wrong in one way.
"""

import html
import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

import httpx

from tests.servers.node import HERE, NODE, installed
from tests.waiting import PATIENCE, said

CLIENT, SECRET, PUBLIC = "locard", "a secret that nobody may see", "public"


@dataclass
class Oidc:
    """A running provider."""

    issuer: str

    def people(self, **claims: dict[str, Any]) -> None:
        """What the provider says of these people, by login."""
        httpx.put(f"{self.issuer}/people", json=claims, timeout=60).raise_for_status()

    def fault(self, kind: str) -> None:
        """Make ID tokens wrong in this way; empty: right again."""
        httpx.put(f"{self.issuer}/fault", json=kind, timeout=60).raise_for_status()

    def walk(self, address: str, login: str) -> dict[str, str]:
        """Sign in and consent as a browser would; what the address it ends at carries."""
        with httpx.Client(timeout=30) as browser:
            where = address
            for _ in range(12):
                answer = browser.get(where)
                if answer.status_code == 200:
                    form = re.search(r'<form[^>]*action="([^"]+)"', answer.text)
                    prompt = re.search(r'name="prompt" value="(\w+)"', answer.text)
                    assert form and prompt, answer.text[:2000]
                    given = {"prompt": prompt[1], "login": login, "password": "any"}
                    action = urljoin(where, html.unescape(form[1]))
                    answer = browser.post(action, data=given)
                assert answer.status_code in (302, 303), f"{answer.status_code} {answer.text[:500]}"
                where = urljoin(where, answer.headers["location"])
                if not where.startswith(self.issuer):
                    return dict(parse_qsl(urlsplit(where).query))
        raise AssertionError("the provider sends the browser in circles")


@contextmanager
def oidc(*redirects: str) -> Iterator[Oidc]:
    """A provider that sends browsers back to these addresses, gone at the end."""
    installed()
    process = subprocess.Popen(
        [NODE, HERE / "oidc.mjs", json.dumps({"redirects": redirects})],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        yield Oidc(said(process, "http").splitlines()[-1])
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE)
        assert process.stdout is not None
        process.stdout.close()
