# SPDX-License-Identifier: Apache-2.0
"""Files of a container that it uploads itself: faster than its terminal, and of any length.

What the tar of them would be is measured in the container first. Then the address that it gets is
signed for these very bytes: their length, their SHA-256, one key, once, for a short time. So no
credential goes there, and who reads the address can upload nothing else. Nothing is written in the
container: tar is begun again for each look.
"""

import re
from base64 import b64encode
from dataclasses import replace
from secrets import token_hex
from typing import TYPE_CHECKING

from locard.actions.collect.aws import inside
from locard.actions.collect.aws.commands import VALID, prefix
from locard.actions.collect.aws.shells import acquired, asked
from locard.actions.collect.aws.streams import Sum
from locard.actions.contract import Keep, Option, Room
from locard.model.action import Json, Permission, Step
from locard.model.errors import Error, Tampered

if TYPE_CHECKING:
    from locard.providers.aws.session import Cloud

BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
LARGEST = 5 << 30
"""Bytes that S3 takes at once."""
TALK = 1 << 20
"""Bytes of an answer that has a few lines, at most."""
OPTIONS = (
    Option("bucket", "Bucket for an upload of files by the container; removed afterwards", ""),
    Option("bucket_account", "Our account that has the bucket, by its name; the same if empty", ""),
)
_OBJECTS = "arn:{partition}:s3:::{bucket}/locard/*"
PERMISSIONS = (
    Permission("s3:PutObject", _OBJECTS, reads=False, optional=True, why="files by upload"),
    Permission("s3:GetObject", _OBJECTS, optional=True),
    Permission("s3:DeleteObject", _OBJECTS, reads=False, optional=True),
)


def sent(cloud: "Cloud", step: Step, keep: Keep, room: Room) -> tuple[dict[str, Json], str]:
    """The files, kept; or why the container cannot upload them, as a sentence."""
    said = step.arguments
    size, digest, gone, why = _measured(cloud, step, room)
    if why:
        return {}, why
    drop = room.elsewhere(said["bucket_account"]) if said["bucket_account"] else cloud
    key = f"{prefix(cloud)}/{said['name']}.tar"
    try:  # what an attempt that was killed left; and whether the bucket can be reached at all
        drop.call("s3:DeleteObject", Bucket=said["bucket"], Key=key)
    except Error as error:
        return {}, error.message
    told = b64encode(bytes.fromhex(digest)).decode()
    address = drop.presigned(
        "s3:PutObject", VALID, Bucket=said["bucket"], Key=key, ContentLength=size,
        ChecksumSHA256=told, IfNoneMatch="*",
    )  # fmt: skip
    nonce = token_hex(8)
    command = inside.upload(nonce, said["paths"], size, told, address)
    answer = asked(cloud, step, room, command, nonce, TALK)
    status = b"".join(b"".join(one) for _, one in answer.files()).decode("ascii", "replace").strip()
    found = acquired(cloud, step, f"a tar of {', '.join(said['paths'])}")
    if status != "0":
        return {}, (
            f"{answer.where} could not upload: curl ended with {status[:20] or 'nothing'}. It may "
            "not reach S3, or its files changed between measuring and sending."
        )
    stream = Sum(drop.answer("s3:GetObject", Bucket=said["bucket"], Key=key)["Body"])
    kept = keep(
        f"{said['name']}.tar", stream,
        replace(found, requests=(*found.requests, drop.requests[-1]),
                hash_point="in the container, before it was sent; then here"),
    )  # fmt: skip
    if stream.base64() != told:
        raise Tampered(
            f"The upload of {answer.where} is not what was measured there.",
            "It is in the vault as it came. Carry the run on to take it again.",
        )
    drop.call("s3:DeleteObject", Bucket=said["bucket"], Key=key)
    outcome: dict[str, Json] = {"evidence": {"tar": kept}, "uploaded": size}
    return outcome | ({"not collected": gone} if gone else {}), ""


def _measured(cloud: "Cloud", step: Step, room: Room) -> tuple[int, str, list[str], str]:
    """Length and SHA-256 of the tar, which paths are not there, or why it cannot be uploaded."""
    paths, nonce = step.arguments["paths"], token_hex(8)
    answer = asked(cloud, step, room, inside.measure(nonce, paths), nonce, TALK)
    found = {name: b"".join(one).decode("ascii", "replace") for name, one in answer.files()}
    lacking = [one.removeprefix("tool:") for one in answer.lost if one.startswith("tool:")]
    if lacking:
        return 0, "", [], f"{answer.where} has no {', '.join(sorted(set(lacking))[:4])}."
    size = re.fullmatch(r"\s*(\d{1,15})\s*", found.get("size", ""))
    digest = re.match(r"\\?([0-9a-f]{64})\b", found.get("sum", ""))
    if not size or not digest:
        return 0, "", [], f"{answer.where} did not measure its files."
    if not 0 < int(size[1]) <= LARGEST:
        return 0, "", [], f"They are {int(size[1]):,} bytes, and S3 takes {LARGEST:,} at once."
    gone = [paths[int(one)] for one in answer.lost if one.isdecimal() and int(one) < len(paths)]
    return int(size[1]), digest[1], gone, ""
