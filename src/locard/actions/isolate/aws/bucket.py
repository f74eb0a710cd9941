# SPDX-License-Identifier: Apache-2.0
"""A bucket of S3 is isolated: nothing purges it, nobody but the responders gets at it.

Its policy is never replaced: one denial of ours is put beside what others wrote, and a release
takes that one out again, whatever others did to the rest meanwhile. Locard's own role is excepted,
or nobody could release it; the account's root user always can.
"""

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from locard.actions.contract import Action, Option
from locard.actions.isolate.aws import access
from locard.actions.isolate.aws.steps import bucket as steps
from locard.actions.isolate.aws.steps.identity import SID
from locard.model.action import Json, Permission, Plan, Step, Target
from locard.model.errors import Error, Missing
from locard.providers.aws.permissions import permission_of

if TYPE_CHECKING:
    from locard.providers.aws.session import Cloud


def plan(cloud: "Cloud", target: Target, options: Mapping[str, Json]) -> Plan:
    """What isolating it would do."""
    name, given = target.id, steps.owned(cloud, target.id)
    cloud.call("s3:HeadBucket", **given)
    keep = [*cloud.own(), *_named(str(options["keep"]))]
    statement = _denial(cloud, name, keep, services=bool(options["services"]))
    found = steps.policy_of(cloud, name)
    refusals = list(access.protected(_tags(cloud, given)))
    length = len(json.dumps(steps.merged(found, statement), separators=(",", ":")))
    if length > steps.LONGEST:
        refusals.append(
            f"Its policy would have {length:,} bytes with our statement, and S3 takes "
            f"{steps.LONGEST:,}: shorten it first."
        )
    made = tuple(_steps(cloud, name, statement, keep))
    return Plan(
        ACTION.id, ACTION.version, target, dict(options), made, refusals=tuple(refusals),
        warnings=tuple(_told(cloud, given, found, options)),
        unknown=tuple(sorted({permission_of(one.call) for one in made})),
        volatility=ACTION.volatility,
    )  # fmt: skip


def _denial(cloud: "Cloud", name: str, keep: list[str], *, services: bool) -> dict[str, Json]:
    """Everything is denied to all who are not kept; those who sign nothing are nobody's principal,
    so that the conditions hold for them."""
    condition: dict[str, Json] = {"ArnNotLike": {"aws:PrincipalArn": keep}}
    if services:
        condition["BoolIfExists"] = {"aws:PrincipalIsAWSService": "false"}
    arn = f"arn:{cloud.partition}:s3:::{name}"
    return {
        "Sid": SID, "Effect": "Deny", "Principal": "*", "Action": "s3:*",
        "Resource": [arn, f"{arn}/*"], "Condition": condition,
    }  # fmt: skip


def _named(keep: str) -> list[str]:
    found = [one.strip() for one in keep.split(",") if one.strip()]
    for one in found:
        if not one.startswith("arn:") or one.count(":") < 5 or one.split(":")[5] in ("*", ""):
            raise Error(
                f"{one[:120]!r} is no ARN of a role or a user that may stay in.",
                "Write it like --set keep=arn:aws:iam::123456789012:role/Forensics",
            )
    return found


def _steps(
    cloud: "Cloud", name: str, statement: dict[str, Json], keep: list[str]
) -> Iterator[Step]:
    for what, call in (("lifecycle", "s3:PutBucketLifecycleConfiguration"),
                       ("replication", "s3:PutBucketReplication")):  # fmt: skip
        step = Step(
            f"rules:{what}", f"Switch its {what} rules off", call,
            {"bucket": name, "what": what},
            breaks=("Nothing is deleted or moved by age any more.",) if what == "lifecycle"
            else ("Nothing is copied to other buckets any more.",),
            undo_title=f"Switch the {what} rules on again that were",
        )  # fmt: skip
        if steps.Rules().capture(cloud, step)["on"]:
            yield step
    yield Step(
        "policy:deny", f"Deny everything in it to all but {', '.join(keep)}",
        "s3:PutBucketPolicy", {"bucket": name, "statement": statement},
        breaks=("Whoever reads or writes it fails, administrators too.",),
        undo_title="Take that denial out of its policy",
    )  # fmt: skip
    yield Step(
        "public:block", "Block all public access to it", "s3:PutPublicAccessBlock",
        {"bucket": name}, breaks=("What was public in it is not any more.",),
        undo_title="Set its public access block back",
    )  # fmt: skip


def _tags(cloud: "Cloud", given: Mapping[str, str]) -> dict[str, Json]:
    try:
        return {"Tags": cloud.call("s3:GetBucketTagging", **given)["TagSet"]}
    except Missing:
        return {}


def _told(
    cloud: "Cloud", given: Mapping[str, str], found: Json, options: Mapping[str, Json]
) -> Iterator[str]:
    versions = cloud.call("s3:GetBucketVersioning", **given).get("Status", "never set")
    if versions != "Enabled":
        yield f"Its versioning is {versions}: what was overwritten or deleted before is gone."
    if options["services"]:
        yield ("Services of AWS still reach it in their own name: log delivery, and CloudFront if "
               "it serves from here. --set services=no shuts them out as well.")  # fmt: skip
    else:
        yield "Logs that services of AWS deliver into it are refused from now on, and lost."
    public = [one for one in (found or {}).get("Statement", ()) if "*" in str(one.get("Principal"))]
    if any(one.get("Effect") == "Allow" for one in public if isinstance(one, dict)):
        yield "Its policy allows something to everybody."


_BUCKET = "arn:{partition}:s3:::{id}"


def _on(calls: str, *, reads: bool = True) -> Iterator[Permission]:
    for call in calls.split():
        yield Permission(f"s3:{call}", _BUCKET, reads=reads)


ACTION = Action(
    id="isolate.aws.bucket",
    title="Isolate an S3 bucket",
    about="Switches off what purges it, denies everything in it to all but the responders by one "
    "statement beside the others of its policy, and blocks public access.",
    kind="bucket",
    names=r"(?:arn:[\w-]+:s3:::|s3://)(?P<id>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/?",
    permissions=(
        *_on(
            "ListBucket GetBucketPolicy GetBucketTagging GetBucketVersioning "
            "GetBucketPublicAccessBlock GetLifecycleConfiguration GetReplicationConfiguration"
        ),
        *_on(
            "PutBucketPolicy DeleteBucketPolicy PutBucketPublicAccessBlock "
            "PutLifecycleConfiguration PutReplicationConfiguration",
            reads=False,
        ),
        Permission(
            "iam:PassRole", "arn:{partition}:iam::{account}:role/*", reads=False, optional=True,
            why="writing replication rules names their role",
        ),
    ),
    plan=plan,
    steps={"rules": steps.Rules(), "policy": steps.Denial(), "public": steps.Unpublic()},
    volatility=9,
    harm="Whatever reads it or writes into it fails, the account's administrators included.",
    regional=False,
    options=(
        Option("keep", "ARNs of roles and users that stay in, besides Locard's, by commas", ""),
        Option("services", "let services of AWS go on in their own name", True),
    ),
)  # fmt: skip
