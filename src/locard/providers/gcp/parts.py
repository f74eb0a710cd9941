# SPDX-License-Identifier: Apache-2.0
"""One object sent in parts, several at once: the multipart calls of Google's XML interface.

The service refuses a part whose CRC32C is not the one that comes with it, and computes the CRC32C
of the object that the last call makes of them. These calls know no preconditions: the last one
replaces what has the name, unless a retention or a hold stands on it, and then it is refused. So
whoever sends looks at the generations of the name before and after.
"""

import base64
import html
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import google_crc32c
import requests
from google.api_core.exceptions import GoogleAPIError, from_http_response
from google.cloud.storage.exceptions import DataCorruption

from locard.evidence import Content
from locard.evidence.spool import Reread
from locard.evidence.store import Watch
from locard.evidence.transfer import in_order, parts

PART = 16 << 20
"""Bytes of one part; larger ones for what would have more than 10,000."""
MOST_PARTS = 10_000
COMPLETING = (10, 900)
"""Seconds to connect and to wait for the last answer, which Google says may take minutes."""
ANSWER = 1 << 20
"""Most bytes of an answer that are looked at."""

Call = Callable[..., Any]
"""Sends a request, again while it finds no answer, and raises what `answered` does. It takes the
method, the address, and what `requests` takes."""


def send(call: Call, url: str, path: Path, content: Content, watch: Watch) -> str:
    """Send the file to the object at `url`; only the last call makes it one. Our CRC32C in hex.

    Raises `Tampered` when the file is not what it was, before that call.
    """
    begun = call("POST", f"{url}?uploads", headers={"content-type": "application/octet-stream"})
    upload = f"uploadId={quote(_text(begun, 'UploadId'), safe='')}"
    whole = 0

    def part(one: tuple[int, bytes]) -> tuple[int, str]:
        number, body = one
        sent = {"x-goog-hash": f"crc32c={_base64(int(google_crc32c.value(body)))}"}
        address = f"{url}?partNumber={number}&{upload}"
        return number, str(call("PUT", address, data=body, headers=sent).headers["etag"])

    def noted(one: tuple[int, bytes]) -> tuple[int, bytes]:
        nonlocal whole
        whole = int(google_crc32c.extend(whole, one[1]))
        return one

    try:
        size = max(PART, -(-content.size // MOST_PARTS))
        with Reread(path, content, watch) as source:
            done = list(in_order(part, map(noted, parts(source, content.size, size))))
        kind = {"content-type": "application/xml"}
        address = f"{url}?{upload}"
        answer = call("POST", address, data=_list(done), headers=kind, timeout=COMPLETING)
        _text(answer, "ETag")  # an answer may begin well and still tell of a failure
    except BaseException:
        with suppress(GoogleAPIError, requests.RequestException, ConnectionError):
            call("DELETE", f"{url}?{upload}")
        raise
    return whole.to_bytes(4, "big").hex()


def answered(answer: Any) -> Any:
    """The answer, when it says that it was done; else its error is raised."""
    if answer.status_code == requests.codes.bad_request and b"Digest" in answer.content[:ANSWER]:
        raise DataCorruption(answer, "the checksum of a part does not fit")
    if not answer.ok:
        raise from_http_response(answer)  # type: ignore[no-untyped-call]
    return answer


def _list(done: list[tuple[int, str]]) -> bytes:
    found = "".join(
        f"<Part><PartNumber>{number}</PartNumber><ETag>{html.escape(tag)}</ETag></Part>"
        for number, tag in done
    )
    return f"<CompleteMultipartUpload>{found}</CompleteMultipartUpload>".encode()


def _text(answer: Any, name: str) -> str:
    """What the answer says under that name. Raises the error that it tells of instead."""
    text = answer.content[:ANSWER].decode(errors="replace")
    found = re.search(f"<{name}>([^<]+)</{name}>", text)
    if found is None:
        raise from_http_response(answer)  # type: ignore[no-untyped-call]
    return html.unescape(found[1]).strip()


def _base64(checksum: int) -> str:
    return base64.b64encode(checksum.to_bytes(4, "big")).decode()
