# SPDX-License-Identifier: Apache-2.0
"""Serves the built web page from the package; every address of a view gives its `index.html`.

Files are read and compressed once and then answered from memory: the page is a few megabytes.
"""

import gzip
import mimetypes
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from starlette.requests import Request
from starlette.responses import Response

FOLDER = Path(__file__).parent.parent / "web"
_FOREVER = "public, max-age=31536000, immutable"
_COMPRESSED = ("text/", "application/javascript", "application/json", "image/svg+xml")
_SMALL = 1024

NOT_BUILT = b"""<!doctype html><title>Locard</title>
<p>The web page was not built into this installation. Run <code>make install</code>.</p>
"""


@dataclass(frozen=True, slots=True)
class _File:
    plain: bytes
    packed: bytes
    media_type: str
    cache: str
    changed: int


class Page:
    """The files of the page, by the address under which they are asked for."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self.folder = folder
        self._files: dict[str, _File] = {}
        self._lock = Lock()

    def answer(self, request: Request) -> Response:
        """The file of this address; the page itself where there is none; 404 below `assets`."""
        name = request.url.path.lstrip("/")
        path = self._path(name)
        if path is None and name.startswith("assets/"):
            return Response("No such file.", 404, media_type="text/plain")
        found = self._load(path or self.folder / "index.html")
        if found is None:
            return Response(NOT_BUILT, 503, media_type="text/html")
        headers = {"cache-control": found.cache, "vary": "accept-encoding"}
        body = found.plain
        if found.packed and "gzip" in request.headers.get("accept-encoding", ""):
            body = found.packed
            headers["content-encoding"] = "gzip"
        return Response(body, 200, headers, found.media_type)

    def _path(self, name: str) -> Path | None:
        """The file of this name, when it is inside the folder."""
        parts = name.split("/")
        if not name or "\0" in name or any(part in ("", ".", "..") for part in parts):
            return None
        path = self.folder.joinpath(*parts)
        inside = path.resolve().is_relative_to(self.folder.resolve())
        return path if inside and path.is_file() else None

    def _load(self, path: Path) -> _File | None:
        name = str(path)
        try:
            changed = path.stat().st_mtime_ns
        except OSError:
            return None
        with self._lock:
            known = self._files.get(name)
        if known is not None and known.changed == changed:
            return known
        plain = path.read_bytes()
        media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        if media_type == "text/javascript":
            media_type = "application/javascript"
        worth = len(plain) > _SMALL and media_type.startswith(_COMPRESSED)
        packed = gzip.compress(plain, 9, mtime=0) if worth else b""
        hashed = path.parent == self.folder / "assets"
        found = _File(plain, packed, media_type, _FOREVER if hashed else "no-cache", changed)
        with self._lock:
            self._files[name] = found
        return found
