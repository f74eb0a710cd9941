# SPDX-License-Identifier: Apache-2.0
"""The multipart calls of Google's XML interface, in front of an emulator that lacks them.

Made from Google's documentation of the calls: a part is refused whose CRC32C does not fit, parts
but the last have at least 5 MiB, the last call knows no precondition and replaces what has the
name, unless a retention stands on it. Everything else goes to the emulator as it came.
"""

import base64
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import quote, unquote

import google_crc32c

from tests.servers.recorder import Answer, Recorder, Request, forwarded, recorder

LEAST = 5 << 20
XML = {"content-type": "application/xml; charset=UTF-8"}


@dataclass
class Parts:
    """What stands between: uploads that were begun, and names under a retention."""

    port: int
    uploads: dict[str, dict[int, bytes]] = field(default_factory=dict)
    retained: set[str] = field(default_factory=set)
    """Paths that are under a retention: they are not replaced."""
    finished: int = 0

    def __call__(self, request: Request) -> Answer:
        query, method = request.query, request.method
        if request.path.startswith(("/storage/", "/upload/", "/download/", "/batch/")):
            return forwarded(request, self.port)
        if method == "POST" and "uploads" in query:
            upload = secrets.token_urlsafe(20) + "=+/"
            self.uploads[upload] = {}
            return result("InitiateMultipartUpload", f"<UploadId>{upload}</UploadId>")
        upload = query.get("uploadId", "")
        if upload not in self.uploads:
            return error(404, "NoSuchUpload")
        if method == "PUT":
            return self.part(self.uploads[upload], int(query["partNumber"]), request)
        if method == "DELETE":
            del self.uploads[upload]
            return Answer(204)
        return self.complete(upload, request)

    def part(self, parts: dict[int, bytes], number: int, request: Request) -> Answer:
        if request.headers["x-goog-hash"] != f"crc32c={checksum(request.body)}":
            return error(400, "BadDigest")
        parts[number] = request.body
        return Answer(200, b"", {"etag": f'"{number}-{checksum(request.body)}"'})

    def complete(self, upload: str, request: Request) -> Answer:
        parts = self.uploads[upload]
        named = re.findall(
            rb"<PartNumber>(\d+)</PartNumber><ETag>&quot;(.+?)&quot;</ETag>", request.body
        )
        if [f"{int(n)}-{checksum(parts[int(n)])}".encode() for n, _ in named] != [
            t for _, t in named
        ]:
            return error(400, "InvalidPart")
        bodies = [parts[int(number)] for number, _ in named]
        if any(len(body) < LEAST for body in bodies[:-1]):
            return error(400, "EntityTooSmall")
        if unquote(request.path) in self.retained:
            return error(403, "ObjectUnderActiveHold")
        _, bucket, name = request.path.split("/", 2)
        target = f"/upload/storage/v1/b/{bucket}/o?uploadType=media&name={quote(unquote(name), '')}"
        headers = {"content-type": "application/octet-stream"}
        made = forwarded(Request("POST", "", {}, headers, b"".join(bodies), target), self.port)
        if made.status != 200:
            return made
        del self.uploads[upload]
        self.finished += 1
        return result("CompleteMultipartUpload", '<ETag>"x-3"</ETag>')


def checksum(data: bytes) -> str:
    return base64.b64encode(google_crc32c.value(data).to_bytes(4, "big")).decode()


def result(name: str, text: str) -> Answer:
    space = "http://s3.amazonaws.com/doc/2006-03-01/"
    return Answer(200, f"<{name}Result xmlns='{space}'>{text}</{name}Result>".encode(), XML)


def error(status: int, word: str) -> Answer:
    text = f"<?xml version='1.0' encoding='UTF-8'?><Error><Code>{word}</Code></Error>"
    return Answer(status, text.encode(), XML)


@contextmanager
def with_parts(port: int) -> Iterator[tuple[Recorder, Parts]]:
    """A server before the emulator on that port, and what it knows."""
    parts = Parts(port)
    with recorder(parts) as made:
        yield made, parts
