# SPDX-License-Identifier: Apache-2.0
"""The simulated AWS as tests need it: it watches, and hinders when a test says so.

It notes every call with its user agent, answers a call with a fault, and answers those that moto
lacks and only tests ask.
"""

import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from locard.cases.demo.cloud.front import Front, Start, answer, serve
from tests.clouds.aws import lacking
from tests.clouds.aws.ebs import Image


class Watched(Front):
    """The front, with what was asked of it, and faults."""

    def __init__(self) -> None:
        super().__init__()
        self.lacking = lacking.every()
        self.calls: list[dict[str, str]] = []
        self.faults: list[dict[str, Any]] = []
        self.images: dict[str, Image] = {}
        """Image files whose blocks the snapshots have, by volume."""

    def control(self, name: str, body: bytes, start: Start) -> Iterable[bytes]:
        with self.lock:
            if name == "calls":
                return answer(start, "200 OK", json.dumps(self.calls))
            if name == "forget":
                self.calls.clear()
                self.faults.clear()
            elif name == "faults":
                self.faults.append(json.loads(body))
            elif name == "images":
                said = json.loads(body)
                self.images |= {volume: Image(Path(path)) for volume, path in said.items()}
        return super().control(name, body, start)

    def answer(
        self, action: str, form: dict[str, list[str]], environ: dict[str, Any], start: Start
    ) -> Iterable[bytes]:
        with self.lock:
            self.calls.append(
                {
                    "action": action,
                    "agent": environ.get("HTTP_USER_AGENT", ""),
                    "key": _key(environ),
                    "dry": form.get("DryRun", [""])[0],
                }
            )
            fault = self._fault(action)
        if fault is not None:
            return answer(start, fault["status"], fault["body"], fault["type"])
        image = self.images.get(_volume(environ["PATH_INFO"])) if action[:4] == "ebs:" else None
        if image is not None:
            query = parse_qs(environ.get("QUERY_STRING", ""))
            number, headers, data = image.answer(environ["PATH_INFO"], query)
            start(f"{number} .", [*headers.items(), ("Content-Length", str(len(data)))])
            return [data]
        for name, handler in self.lacking.items():
            if re.fullmatch(name, action):
                query = parse_qs(environ.get("QUERY_STRING", ""))
                body = environ["wsgi.input"].read()
                environ["wsgi.input"].seek(0)
                made = handler(lacking.Asked(action, body, form, environ["PATH_INFO"], query))
                if made is not None:
                    return answer(start, made.status, made.body, made.kind)
        return super().answer(action, form, environ, start)

    def _fault(self, action: str) -> dict[str, Any] | None:
        for one in self.faults:
            if re.fullmatch(one["action"], action) and one["after"] <= 0 < one["times"]:
                one["times"] -= 1
                return one
            if re.fullmatch(one["action"], action):
                one["after"] -= 1
        return None


def _volume(path: str) -> str:
    """The volume of the snapshot that a path of the EBS direct API names; empty: unknown."""
    from moto.ec2.models import ec2_backends

    found = re.match(r"/snapshots/(snap-\w+)/", path)
    for account in list(ec2_backends.values()) if found else ():
        for backend in list(account.values()):
            snapshot = backend.snapshots.get(found[1] if found else "")
            if snapshot is not None:
                return str(snapshot.volume.id)
    return ""


def _key(environ: dict[str, Any]) -> str:
    found = re.search(r"Credential=([^/]+)/", environ.get("HTTP_AUTHORIZATION", ""))
    return found[1] if found else ""


if __name__ == "__main__":
    serve(Watched(), int(sys.argv[1]))
