# SPDX-License-Identifier: Apache-2.0
"""A bucket of S3: one statement of ours in its policy, nothing public, and no rule that purges.

A policy is one document that all share, so each change reads it anew and touches what is ours only.
"""

import json
from typing import TYPE_CHECKING, ClassVar

from locard.actions.isolate.aws.steps.identity import OTHERS, SID
from locard.model.action import Json, Step, Verdict
from locard.model.errors import Conflict, Missing
from locard.model.spoken import spoken

if TYPE_CHECKING:
    from locard.providers.aws.session import Cloud

LONGEST = 20_480
"""Bytes that the policy of a bucket may have."""


def policy_of(cloud: "Cloud", bucket: str) -> dict[str, Json] | None:
    """The policy of the bucket as it is now; None: it has none."""
    try:
        found = cloud.call("s3:GetBucketPolicy", **owned(cloud, bucket))
    except Missing:
        return None
    return dict(json.loads(found["Policy"]))


def owned(cloud: "Cloud", bucket: str) -> dict[str, str]:
    """How calls name a bucket, so that one of another account is refused."""
    return {"Bucket": bucket, "ExpectedBucketOwner": cloud.account}


def merged(policy: dict[str, Json] | None, statement: Json) -> dict[str, Json]:
    """The policy with our statement in it, and nothing else of it touched."""
    document = policy or {"Version": "2012-10-17", "Statement": []}
    rest = [one for one in _listed(document) if one.get("Sid") != SID]
    return {**document, "Statement": [*rest, statement]}


def _listed(policy: dict[str, Json] | None) -> list[dict[str, Json]]:
    found = (policy or {}).get("Statement", [])
    return list(found) if isinstance(found, list) else [found]


def _plain(value: Json) -> Json:
    """A statement in one form: S3 may give a list of one back as the one, and in another order."""
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list):
        return _plain(value[0]) if len(value) == 1 else sorted(map(str, value))
    return value


class Denial:
    """The policy of the bucket has our denial in it. Arguments: `bucket`, `statement`."""

    def capture(self, cloud: "Cloud", step: Step) -> Json:
        """The whole policy."""
        return {"policy": policy_of(cloud, step.arguments["bucket"])}

    def apply(self, cloud: "Cloud", step: Step, prior: Json) -> Json:
        """Put the policy as it is at this moment, with our statement beside the others."""
        now = policy_of(cloud, step.arguments["bucket"])
        self._put(cloud, step, merged(now, step.arguments["statement"]))
        return {"sid": SID}

    def applied(self, cloud: "Cloud", step: Step, prior: Json) -> Json | None:
        """Whether our statement is in it."""
        now = _listed(policy_of(cloud, step.arguments["bucket"]))
        ours = _plain(step.arguments["statement"])
        return {"sid": SID} if any(_plain(one) == ours for one in now) else None

    def verify(self, cloud: "Cloud", step: Step, prior: Json) -> Verdict:
        """The policy as S3 gives it back."""
        there = self.applied(cloud, step, prior) is not None
        return Verdict(there, "the policy of the bucket", "" if there else "our denial is gone")

    def undo(self, cloud: "Cloud", step: Step, prior: Json, outcome: Json) -> Json:
        """Our statement out of the policy as it is now; what others did to the rest stays."""
        now = policy_of(cloud, step.arguments["bucket"])
        every = _listed(now)
        rest = [one for one in every if one.get("Sid") != SID]
        if len(rest) == len(every):
            return None
        found = [_plain(one) for one in every if one.get("Sid") == SID]
        if found != [_plain(step.arguments["statement"])]:
            raise Conflict(
                f"The denial in the policy of {step.arguments['bucket']} is not as we wrote it. "
                f"{OTHERS}",
                f"Look at it; then take it out yourself and: --leave {step.key}",
            )
        if rest:
            self._put(cloud, step, {**(now or {}), "Statement": rest})
        else:
            cloud.call("s3:DeleteBucketPolicy", **owned(cloud, step.arguments["bucket"]))
        before = _listed(prior["policy"])
        changed = [one for one in rest if one not in before]
        gone = [one for one in before if one not in rest]
        if not changed and not gone:
            return None
        return {"statements of others kept": len(changed), "taken out by others": len(gone)}

    def _put(self, cloud: "Cloud", step: Step, policy: Json) -> None:
        given = owned(cloud, step.arguments["bucket"])
        text = json.dumps(policy, separators=(",", ":"))
        cloud.call("s3:PutBucketPolicy", **given, Policy=text)


class Unpublic:
    """Nothing of the bucket is public, by policy or by access list. Arguments: `bucket`."""

    EVERY: ClassVar = {
        "BlockPublicAcls": True,
        "IgnorePublicAcls": True,
        "BlockPublicPolicy": True,
        "RestrictPublicBuckets": True,
    }

    def capture(self, cloud: "Cloud", step: Step) -> Json:
        """What is blocked; None: nothing was ever said about it."""
        try:
            found = cloud.call("s3:GetPublicAccessBlock", **owned(cloud, step.arguments["bucket"]))
        except Missing:
            return {"blocked": None}
        return {"blocked": found["PublicAccessBlockConfiguration"]}

    def apply(self, cloud: "Cloud", step: Step, prior: Json) -> Json:
        """Block all of it."""
        self._put(cloud, step, self.EVERY)
        return {"blocked": self.EVERY}

    def applied(self, cloud: "Cloud", step: Step, prior: Json) -> Json | None:
        """Whether all is blocked."""
        now = self.capture(cloud, step)
        return now if now["blocked"] == self.EVERY else None

    def verify(self, cloud: "Cloud", step: Step, prior: Json) -> Verdict:
        """S3's own word."""
        now = self.capture(cloud, step)["blocked"]
        return Verdict(now == self.EVERY, "the public access block", f"it is {spoken(now)}")

    def undo(self, cloud: "Cloud", step: Step, prior: Json, outcome: Json) -> Json:
        """What was blocked before, unless others said a third thing."""
        now = self.capture(cloud, step)["blocked"]
        if now == prior["blocked"]:
            return None
        if now != self.EVERY:
            raise Conflict(
                f"The public access block of {step.arguments['bucket']} is {spoken(now)} now, "
                "as others set it.",
                f"Leave it so: --leave {step.key}",
            )
        if prior["blocked"] is None:
            cloud.call("s3:DeletePublicAccessBlock", **owned(cloud, step.arguments["bucket"]))
        else:
            self._put(cloud, step, prior["blocked"])
        return None

    def _put(self, cloud: "Cloud", step: Step, blocked: Json) -> None:
        given = owned(cloud, step.arguments["bucket"])
        cloud.call("s3:PutPublicAccessBlock", **given, PublicAccessBlockConfiguration=blocked)


class Rules:
    """Rules that move or delete objects by themselves are off. Arguments: `bucket`, `what`."""

    def capture(self, cloud: "Cloud", step: Step) -> Json:
        """The rules that are on, by their names."""
        found = self._read(cloud, step)
        return {"on": [one["ID"] for one in found.get("Rules", ()) if one["Status"] == "Enabled"]}

    def apply(self, cloud: "Cloud", step: Step, prior: Json) -> Json:
        """Off, each of them; what they say stays."""
        self._switch(cloud, step, prior["on"], "Disabled")
        return {"off": prior["on"]}

    def applied(self, cloud: "Cloud", step: Step, prior: Json) -> Json | None:
        """Whether none of them is on."""
        on = set(self.capture(cloud, step)["on"])
        return None if on & set(prior["on"]) else {"off": prior["on"]}

    def verify(self, cloud: "Cloud", step: Step, prior: Json) -> Verdict:
        """S3's own word about all rules, those too that others added."""
        on = self.capture(cloud, step)["on"]
        detail = f"on: {', '.join(on)}" if on else ""
        return Verdict(not on, f"the {step.arguments['what']} rules of the bucket", detail)

    def undo(self, cloud: "Cloud", step: Step, prior: Json, outcome: Json) -> Json:
        """On again, those that were and are still there."""
        there = {one["ID"]: one["Status"] for one in self._read(cloud, step).get("Rules", ())}
        wanted = [one for one in prior["on"] if there.get(one) == "Disabled"]
        self._switch(cloud, step, wanted, "Enabled")
        gone = [one for one in prior["on"] if one not in there]
        return {"rules taken out by others": gone} if gone else None

    def _read(self, cloud: "Cloud", step: Step) -> dict[str, Json]:
        given = owned(cloud, step.arguments["bucket"])
        try:
            if step.arguments["what"] == "lifecycle":
                return cloud.call("s3:GetBucketLifecycleConfiguration", **given)
            found = cloud.call("s3:GetBucketReplication", **given)
            return dict(found["ReplicationConfiguration"])
        except Missing:
            return {}

    def _switch(self, cloud: "Cloud", step: Step, names: list[str], status: str) -> None:
        if not names:
            return
        now, given = self._read(cloud, step), owned(cloud, step.arguments["bucket"])
        rules = [{**one, "Status": status} if one["ID"] in names else one for one in now["Rules"]]
        if step.arguments["what"] == "lifecycle":
            size = now.get("TransitionDefaultMinimumObjectSize")
            cloud.call(
                "s3:PutBucketLifecycleConfiguration", **given,
                LifecycleConfiguration={"Rules": rules},
                **({"TransitionDefaultMinimumObjectSize": size} if size else {}),
            )  # fmt: skip
        else:
            cloud.call(
                "s3:PutBucketReplication", **given,
                ReplicationConfiguration={**now, "Rules": rules},
            )  # fmt: skip
