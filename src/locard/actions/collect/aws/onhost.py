# SPDX-License-Identifier: Apache-2.0
"""A tool that runs on a suspect host through Systems Manager, and what it made, in the vault.

No credential reaches the host. The tool comes by a presigned address and is run only when its
SHA-256 fits. What it made is measured there first; then each part of it is uploaded to an address
that is signed for that part alone: its place, its length and its SHA-256, for a short time. So
whoever reads the addresses on the host can upload nothing but the very bytes that were measured.
"""

import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import file_digest, sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from locard.actions.collect.aws.answers import of
from locard.actions.collect.aws.commands import VALID, by_address, command, folder, prefix
from locard.actions.collect.aws.requested import made_by
from locard.actions.contract import Action, Keep, Option, Room
from locard.model.action import Json, Permission, Plan, Step, Target
from locard.model.custody import Acquisition, Tool
from locard.model.errors import Missing, Tampered

if TYPE_CHECKING:
    from locard.providers.aws.session import Cloud

PART = 1024
"""MiB of a part; more where there would be too many. S3 takes 5 to 5,120."""
MANY = 300
"""Parts, about: their checksums come in the 24,000 characters of a command's answer."""
HERE = "/var/tmp"  # noqa: S108  (of the host; below it a folder of the run's own, mode 700)
_WORD = re.compile(r"[\w./@:+-]+")

OPTIONS = (
    Option("tool", "The tool, a file of yours on this machine", ""),
    Option("sha256", "Its SHA-256, which is compared here and on the host", ""),
    Option("bucket", "Bucket for the uploads; they are removed from it afterwards", ""),
    Option("bucket_account", "Our account that has the bucket, by its name; the same if empty", ""),
    Option("folder", "Where the host keeps the tool and what it makes for as long", HERE),
    Option("minutes", "How long the tool may run", "120"),
)
_OBJECTS = "arn:{partition}:s3:::{bucket}/locard/*"
PERMISSIONS = (
    Permission("ssm:DescribeInstanceInformation"),
    Permission("ssm:SendCommand", "arn:{partition}:ec2:{region}:{account}:instance/{id}",
               reads=False),
    Permission("ssm:SendCommand", "arn:{partition}:ssm:{region}::document/AWS-RunShellScript",
               reads=False),
    Permission("ssm:GetCommandInvocation"),
    Permission("s3:PutObject", _OBJECTS, reads=False),
    Permission("s3:GetObject", _OBJECTS),
    Permission("s3:ListMultipartUploadParts", _OBJECTS),
    Permission("s3:DeleteObject", _OBJECTS, reads=False),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Work:
    """What a tool does on the host."""

    name: str
    """Of the tool: `avml`."""
    makes: str
    """The name of what it makes, as evidence, with `{id}` for the host."""
    script: str
    """Shell that finds the tool as `tool` in the folder where it runs, and makes `out`."""
    consistency: str


class Place:
    """The tool, put where the host can fetch it."""

    def collect(self, cloud: "Cloud", step: Step, keep: Keep, room: Room) -> Json:
        """Upload it, unless it is no longer the file that was planned."""
        said = step.arguments
        tool = Path(said["tool"])
        if measured(tool) != said["sha256"]:
            raise Tampered(f"{tool} is not the file that was planned.", "Plan it anew.")
        key = f"{prefix(cloud)}/tool"
        with tool.open("rb") as file:
            _drop(cloud, room, said).answer(
                "s3:PutObject", Bucket=said["bucket"], Key=key, Body=file,
                ChecksumSHA256=_base64(said["sha256"]),
            )  # fmt: skip
        return {"key": key}


class Make:
    """The tool at work, and what it made measured."""

    def __init__(self, work: Work) -> None:
        self.work = work

    def collect(self, cloud: "Cloud", step: Step, keep: Keep, room: Room) -> Json:
        """Send the command, once, and wait for it."""
        said = step.arguments
        key = room.outcomes["place:tool"]["key"]
        address = _drop(cloud, room, said).presigned(
            "s3:GetObject", VALID, Bucket=said["bucket"], Key=key
        )
        script = _MAKE.format(
            folder=folder(cloud, said), tool=said["sha256"], address=address,
            work=self.work.script, part=PART, many=MANY,
        )  # fmt: skip
        told = command(cloud, room, said, "make", script)
        return _measured(told)


class Upload:
    """What the tool made, from the host to the bucket."""

    def collect(self, cloud: "Cloud", step: Step, keep: Keep, room: Room) -> Json:
        """Sign an address for each part, let the host use them, and put the parts together."""
        said, made = step.arguments, room.outcomes["make:out"]
        drop, key = _drop(cloud, room, said), f"{prefix(cloud)}/out"
        where = {"Bucket": said["bucket"], "Key": key}
        begun = drop.call("s3:CreateMultipartUpload", **where, ChecksumAlgorithm="SHA256")
        where["UploadId"] = begun["UploadId"]
        part, lines = made["part"] << 20, []
        for number, known in enumerate(made["parts"], 1):
            length = min(part, made["size"] - (number - 1) * part)
            address = drop.presigned(
                "s3:UploadPart", VALID, **where, PartNumber=number, ContentLength=length,
                ChecksumSHA256=_base64(known),
            )  # fmt: skip
            lines.append(
                _PART.format(
                    skip=(number - 1) * made["part"], count=made["part"], length=length,
                    sum=_base64(known), address=address,
                )
            )  # fmt: skip
        script = _UPLOAD.format(folder=folder(cloud, said), parts="".join(lines))
        by_address(cloud, drop, room, said, "upload", script)
        done = [
            {"PartNumber": one["PartNumber"], "ETag": one["ETag"],
             "ChecksumSHA256": _base64(made["parts"][one["PartNumber"] - 1])}
            for one in drop.pages("s3:ListParts", "Parts", **where)
        ]  # fmt: skip
        if len(done) != len(made["parts"]):
            raise Missing(
                f"{len(done)} of {len(made['parts'])} parts arrived in {said['bucket']}.",
                "Carry the run on: they are uploaded again.",
            )
        drop.call(
            "s3:CompleteMultipartUpload", **where, MultipartUpload={"Parts": done}, IfNoneMatch="*"
        )
        return {"key": key}


class Pull:
    """What was uploaded, into the vault, and the bucket as it was before."""

    def __init__(self, work: Work) -> None:
        self.work = work

    def collect(self, cloud: "Cloud", step: Step, keep: Keep, room: Room) -> Json:
        """Keep it, and hold every part against what the host measured."""
        said, made = step.arguments, room.outcomes["make:out"]
        drop = _drop(cloud, room, said)
        found = drop.answer(
            "s3:GetObject", Bucket=said["bucket"], Key=room.outcomes["upload:out"]["key"]
        )
        stream = Parts(found["Body"], made["part"] << 20)
        name = self.work.makes.format(id=step.arguments["instance"])
        kept = keep(name, stream, _acquired(drop, self.work, step, room))
        if stream.sums() != made["parts"]:
            raise Tampered(
                f"{name} is not what was measured on the host.",
                "It is in the vault as it came. Suspect the host: it is the host's word.",
            )
        for key in ("tool", "out", "upload"):
            drop.call("s3:DeleteObject", Bucket=said["bucket"], Key=f"{prefix(cloud)}/{key}")
        return {"evidence": kept, "bytes": made["size"], "parts": len(made["parts"])}


class Parts:
    """A stream that is measured in parts while it is read."""

    def __init__(self, stream: Any, part: int) -> None:
        self._stream, self._part = stream, part
        self._now, self._left = sha256(), part
        self._sums: list[str] = []
        self._open = False

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes, or none at the end."""
        data: bytes = self._stream.read(size)
        view = memoryview(data)
        while view:
            count = min(len(view), self._left)
            self._now.update(view[:count])
            self._open, self._left, view = True, self._left - count, view[count:]
            if not self._left:
                self._end()
        return data

    def sums(self) -> list[str]:
        """SHA-256 of each part."""
        if self._open:
            self._end()
        return self._sums

    def _end(self) -> None:
        self._sums.append(self._now.hexdigest())
        self._now, self._left, self._open = sha256(), self._part, False


def plan(
    action: Action, work: Work, cloud: "Cloud", target: Target, options: Mapping[str, Json]
) -> Plan:
    """The steps of a tool on a host, or what stands against it."""
    found = cloud.call(
        "ssm:DescribeInstanceInformation",
        Filters=[{"Key": "InstanceIds", "Values": [target.id]}],
    )["InstanceInformationList"]
    refusals = [*_host(target, found), *_tool(work, options)]
    said = {**options, "instance": target.id}
    left = f"{work.name} and what it makes are written below {options['folder']} for as long."
    steps = (
        Step("place:tool", f"Put {work.name} into {options['bucket']}", "s3:PutObject", said),
        Step("make:out", f"Run {work.name} on {target.id}", "ssm:SendCommand", said,
             breaks=(left,)),
        Step("upload:out", "Let the host upload it, to addresses for each part alone",
             "ssm:SendCommand", said),
        Step("pull:out", "Take it into the vault and remove it from the bucket", "s3:GetObject",
             said, from_copy=True),
    )  # fmt: skip
    return Plan(
        action.id, action.version, target, dict(options), steps, refusals=tuple(refusals),
        names={"bucket": (str(options["bucket"]) or "none",)}, volatility=action.volatility,
    )  # fmt: skip


def measured(tool: Path) -> str:
    """SHA-256 of a file. Raises `Missing`."""
    try:
        with tool.open("rb") as file:
            return file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise Missing(f"{tool} cannot be read: {error.strerror}.", "Name the tool.") from error


def _host(target: Target, found: list[Any]) -> list[str]:
    if not found:
        return [
            f"Systems Manager does not manage {target.id}: its agent is not there, has no role, or "
            "cannot reach AWS. Without it nothing can be run there."
        ]
    if found[0].get("PingStatus") != "Online":
        return [f"The agent of {target.id} is {found[0].get('PingStatus')}: nothing can be run."]
    if found[0].get("PlatformType") != "Linux":
        return [f"{target.id} runs {found[0].get('PlatformType')}; there are scripts for Linux."]
    return []


def _tool(work: Work, options: Mapping[str, Json]) -> list[str]:
    if not options["tool"] or not options["bucket"]:
        return [
            f"Name your {work.name} and a bucket for the upload: --set tool=/opt/{work.name} "
            "--set sha256=… --set bucket=…, or once and for all in LOCARD_HOME/actions.toml. "
            "Locard brings no tool and downloads none."
        ]
    wrong = [one for one in ("bucket", "folder") if not _WORD.fullmatch(str(options[one]))]
    if wrong or not str(options["folder"]).startswith("/"):
        return [f"{', '.join(wrong) or 'folder'} cannot be {options[(wrong or ['folder'])[0]]!r}."]
    if not str(options["minutes"]).isdecimal():
        return [f"minutes is a number, and not {options['minutes']!r}."]
    try:
        digest = measured(Path(options["tool"]))
    except Missing as error:
        return [error.message]
    if digest != str(options["sha256"]).lower():
        return [
            f"{options['tool']} has the SHA-256 {digest}, and not {options['sha256'] or 'none'}: "
            "compare it with what its makers publish, then give it with --set sha256=…"
        ]
    return []


def _drop(cloud: "Cloud", room: Room, said: Mapping[str, Json]) -> "Cloud":
    """The account that the bucket is in."""
    return room.elsewhere(said["bucket_account"]) if said["bucket_account"] else cloud


def _base64(digest: str) -> str:
    return b64encode(bytes.fromhex(digest)).decode()


def _acquired(drop: "Cloud", work: Work, step: Step, room: Room) -> Acquisition:
    """By the commands that were sent to the host, and the request that its upload came by."""
    said, sent = step.arguments, made_by(Path(room.folder), "command-make", "command-upload")
    changed = (
        f"{work.name}, what it made and two scripts were written below {said['folder']} on the "
        "host, and removed from there again; the agent of Systems Manager keeps its own logs of it"
    )
    got = of(drop, consistency=work.consistency, covers=f"what {work.name} wrote")
    return replace(
        got,
        requests=(*sent, *got.requests),
        tool=Tool(work.name, "as its digest says", said["sha256"]),
        changes=(changed,),
        hash_point="in parts on the host, when the tool had ended; then here",
    )


def _measured(told: str) -> dict[str, Json]:
    """Size and parts as the host says. It is the host's word, so it is read strictly."""
    found = re.fullmatch(r"part (\d{1,5})\nsize (\d{1,15})\n((?:[0-9a-f]{64}\n)*)", told)
    if not found:
        raise Tampered(
            f"The host answered otherwise than the script does: {told[:200]!r}",
            "Do not trust this host's tools: take its memory another way.",
        )
    part, size, parts = int(found[1]), int(found[2]), found[3].split()
    if not 5 <= part <= 5120 or len(parts) != -(-size // (part << 20)) or not parts:
        raise Tampered(f"The host measured {size:,} bytes and {len(parts)} parts.", "It errs.")
    return {"part": part, "size": size, "parts": parts}


_MAKE = """set -eu
umask 077
mkdir -p '{folder}'
cd '{folder}'
curl -fsS --retry 3 -o tool '{address}'
echo '{tool}  tool' | sha256sum -c - >/dev/null
{{
{work}
}} >log 2>&1 || {{ tail -c 2000 log >&2; exit 1; }}
size=$(stat -c %s out)
part={part}
while [ $((size / (part * 1048576))) -ge {many} ]; do part=$((part * 2)); done
[ $part -le 5120 ] || part=5120
echo "part $part"
echo "size $size"
at=0
while [ $((at * 1048576)) -lt $size ]; do
dd if=out bs=1M skip=$at count=$part 2>/dev/null | sha256sum | cut -d' ' -f1
at=$((at + part))
done
"""
_PART = """dd if=out bs=1M skip={skip} count={count} 2>/dev/null | \
curl -fsS -X PUT -T - -H 'Transfer-Encoding:' -H 'Content-Length: {length}' \
-H 'x-amz-checksum-sha256: {sum}' -o /dev/null '{address}'
"""
_UPLOAD = """set -eu
cd '{folder}'
{parts}cd /
rm -rf '{folder}'
"""
