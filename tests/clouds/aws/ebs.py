# SPDX-License-Identifier: Apache-2.0
"""The EBS direct API over image files: what moto's lacks (a first index, pages) or does slowly.

Holes of a file are blocks that were never written. As a program it serves one image, for the
benchmarks: python -m tests.clouds.aws.ebs PORT IMAGE [MEGABYTES-A-SECOND]
"""

import json
import os
import sys
import time
from base64 import b64encode
from collections.abc import Iterator
from functools import cached_property
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock
from urllib.parse import parse_qs, urlsplit

BLOCK = 512 << 10
GIB = 1 << 30
Answer = tuple[int, dict[str, str], bytes]


class Network:
    """A line of so many bytes a second, which all answers share; 0 is one without a bound."""

    def __init__(self, rate: float = 0) -> None:
        self.rate, self._free, self._lock = rate, 0.0, Lock()

    def carry(self, size: int) -> None:
        """Wait until these bytes would have gone through."""
        if not self.rate:
            return
        with self._lock:
            self._free = max(self._free, time.monotonic()) + size / self.rate
            until = self._free
        time.sleep(max(0.0, until - time.monotonic()))


class Image:
    """One image as a snapshot."""

    def __init__(self, path: Path) -> None:
        self.path, self.size = path, path.stat().st_size
        self.gib = -(-self.size // GIB)
        self.listings = self.blocks = 0
        self._fd = os.open(path, os.O_RDONLY)
        self._sums: dict[int, str] = {}
        self._lock = Lock()

    @cached_property
    def written(self) -> list[int]:
        """Indices of the blocks that were ever written, ascending."""
        found: dict[int, None] = {}
        for first, end in self._stretches():
            found |= dict.fromkeys(range(first // BLOCK, -(-end // BLOCK)))
        return list(found)

    def warm(self) -> None:
        """Know every checksum beforehand, so that a benchmark does not wait for them."""
        for index in self.written:
            self._sum(index, self._data(index))

    def answer(self, path: str, query: dict[str, list[str]]) -> Answer:
        """The answer to a GET below /snapshots/NAME."""
        parts = path.strip("/").split("/")
        if parts[-1] == "blocks":
            return self._list(query)
        index = int(parts[-1])
        if query.get("blockToken", [""])[0] != f"token-{index}":
            return _error("ValidationException", "INVALID_BLOCK_TOKEN")
        with self._lock:
            self.blocks += 1
        data = self._data(index)
        headers = {
            "x-amz-Data-Length": str(BLOCK), "x-amz-Checksum": self._sum(index, data),
            "x-amz-Checksum-Algorithm": "SHA256", "Content-Type": "application/octet-stream",
        }  # fmt: skip
        return 200, headers, data

    def _list(self, query: dict[str, list[str]]) -> Answer:
        with self._lock:
            self.listings += 1
        first = int(query.get("pageToken", query.get("startingBlockIndex", ["0"]))[0])
        most = int(query.get("maxResults", ["10000"])[0])
        if not 100 <= most <= 10_000:
            return _error("ValidationException", "INVALID_PARAMETER_VALUE")
        left = [index for index in self.written if index >= first]
        found: dict[str, object] = {
            "Blocks": [{"BlockIndex": one, "BlockToken": f"token-{one}"} for one in left[:most]],
            "ExpiryTime": 4_000_000_000, "VolumeSize": self.gib, "BlockSize": BLOCK,
        }  # fmt: skip
        if left[most:]:
            found["NextToken"] = str(left[most])
        return 200, {"Content-Type": "application/json"}, json.dumps(found).encode()

    def _data(self, index: int) -> bytes:
        return os.pread(self._fd, BLOCK, index * BLOCK).ljust(BLOCK, b"\0")

    def _sum(self, index: int, data: bytes) -> str:
        if index not in self._sums:
            self._sums[index] = b64encode(sha256(data).digest()).decode()
        return self._sums[index]

    def _stretches(self) -> Iterator[tuple[int, int]]:
        at = 0
        while at < self.size:
            try:
                first = os.lseek(self._fd, at, os.SEEK_DATA)
            except OSError:
                return
            at = os.lseek(self._fd, first, os.SEEK_HOLE)
            yield first, at


def _error(code: str, reason: str) -> Answer:
    body = {"__type": code, "message": reason, "Message": reason, "Reason": reason}
    headers = {"Content-Type": "application/json", "x-amzn-ErrorType": code}
    return 400, headers, json.dumps(body).encode()


def serve(port: int, image: Image, network: Network | None = None) -> ThreadingHTTPServer:
    """A server on loopback at which every snapshot is this image."""

    line = network or Network()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            where = urlsplit(self.path)
            status, headers, body = image.answer(where.path, parse_qs(where.query))
            line.carry(len(body))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *given: object) -> None:
            """Nothing."""

    return ThreadingHTTPServer(("127.0.0.1", port), Handler)


if __name__ == "__main__":
    shown = Image(Path(sys.argv[2]))
    shown.warm()
    rate = float(sys.argv[3]) * 1e6 if len(sys.argv) > 3 else 0
    serve(int(sys.argv[1]), shown, Network(rate)).serve_forever()
