# SPDX-License-Identifier: Apache-2.0
"""The simulated AWS as tests need it: it watches, and hinders when a test says so.

It notes every call with its user agent, answers a call with a fault, and answers those that moto
lacks and only tests ask.
"""

import json
import re
import sys
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qs

from locard.cases.demo.cloud.front import Front, Start, answer, serve
from tests.clouds.aws import lacking


class Watched(Front):
    """The front, with what was asked of it, and faults."""

    def __init__(self) -> None:
        super().__init__()
        self.lacking = lacking.every()
        self.calls: list[dict[str, str]] = []
        self.faults: list[dict[str, Any]] = []

    def control(self, name: str, body: bytes, start: Start) -> Iterable[bytes]:
        with self.lock:
            if name == "calls":
                return answer(start, "200 OK", json.dumps(self.calls))
            if name == "forget":
                self.calls.clear()
                self.faults.clear()
            elif name == "faults":
                self.faults.append(json.loads(body))
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


def _key(environ: dict[str, Any]) -> str:
    found = re.search(r"Credential=([^/]+)/", environ.get("HTTP_AUTHORIZATION", ""))
    return found[1] if found else ""


if __name__ == "__main__":
    serve(Watched(), int(sys.argv[1]))
