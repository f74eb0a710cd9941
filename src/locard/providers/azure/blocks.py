# SPDX-License-Identifier: Apache-2.0
"""A blob made of blocks, each checked by what the service computes itself.

Of such a blob Azure computes no checksum: the MD5 that it shows is the one that it was told. What
it does compute is the MD5 of each block that comes in, and it refuses one that does not fit. So a
block bears that MD5 in its name, and after the commit the service's own list of the blocks and
their sizes has to be the one that was sent. A name also bears what no other upload bears, so that
two uploads of one blob at once cannot mix.
"""

from collections.abc import Callable
from hashlib import md5
from pathlib import Path
from secrets import token_hex
from typing import Any

from azure.core import MatchConditions
from azure.storage.blob import BlobBlock, BlobClient, ContentSettings

from locard.evidence import Content
from locard.evidence.spool import Reread
from locard.evidence.store import Watch
from locard.evidence.transfer import in_order, parts
from locard.model.errors import Storage

BLOCK = 16 << 20
"""Bytes of one block; larger ones for what would have more than 50,000."""
MOST_BLOCKS = 50_000


def send(
    blob: BlobClient, path: Path, content: Content, watch: Watch, policy: dict[str, Any]
) -> str:
    """Send the file in blocks, several at once; only the last call makes it a blob.

    Gives the MD5 of the whole, as the service was told. Raises `ResourceExistsError` when a blob is
    there already, and `Storage` when the service lists other blocks than were sent.
    """
    upload, whole = token_hex(6), md5(usedforsecurity=False)

    def block(part: tuple[int, bytes]) -> tuple[str, int]:
        number, body = part
        digest = md5(body, usedforsecurity=False).hexdigest()
        name = f"{number:05d}-{upload}-{digest}"
        blob.stage_block(name, body, len(body), validate_content="md5")
        return name, len(body)

    size = max(BLOCK, -(-content.size // MOST_BLOCKS))
    with Reread(path, content, watch) as source:
        hashed = (
            (number, _noted(whole.update, body))
            for number, body in parts(source, content.size, size)
        )
        sent = list(in_order(block, hashed))
    blob.commit_block_list(
        [BlobBlock(name) for name, _ in sent],
        content_settings=ContentSettings(
            content_type="application/octet-stream", content_md5=bytearray(whole.digest())
        ),
        match_condition=MatchConditions.IfMissing,
        validate_content=True,
        **policy,
    )
    if (listed := blocks(blob)) != sent:
        raise Storage(
            f"The store lists {len(listed):,} blocks of {blob.blob_name}, and not the "
            f"{len(sent):,} that were sent.",
            "Do not trust this store; the evidence was not taken in.",
        )
    return whole.hexdigest()


def blocks(blob: BlobClient) -> list[tuple[str, int]]:
    """Name and size of each block that the blob is made of, as the service says."""
    committed, _ = blob.get_block_list("committed")
    return [(str(one.id), int(one.size or 0)) for one in committed]


def _noted(note: Callable[[bytes], None], body: bytes) -> bytes:
    note(body)
    return body
