# SPDX-License-Identifier: Apache-2.0
"""A role, a user: denied everything, by one inline policy of our own beside what is there.

A denial that names the session of one instance (`aws:userid` is the role's id, a colon and the
instance's id) holds for its credentials of before and of after, wherever they are used, and for no
other instance of the fleet; so no time has to be compared and no clock can be wrong.
"""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from locard.model.action import Json, Step, Verdict
from locard.model.errors import Conflict, Missing

if TYPE_CHECKING:
    from locard.providers.aws.session import Cloud

SID = "LocardIsolation"
ISSUED = "aws:TokenIssueTime"
OTHERS = "Somebody edited it meanwhile."


def denial(condition: Json = None) -> dict[str, Json]:
    """Our statement: everything is denied, under a condition when one is given."""
    found: dict[str, Json] = {"Sid": SID, "Effect": "Deny", "Action": "*", "Resource": "*"}
    return found | ({"Condition": condition} if condition else {})


class Denied:
    """An inline policy of ours denies everything. Arguments: `owner` is `Role` or `User`.

    Where `before` is set, only what was signed in before the moment of the change is denied, by the
    clock of AWS: the moment is not known before, so `statement` comes without it.
    """

    def capture(self, cloud: "Cloud", step: Step) -> Json:
        """The policy of that name, which is none unless somebody took our name."""
        return {"policy": self._read(cloud, step)}

    def apply(self, cloud: "Cloud", step: Step, prior: Json) -> Json:
        """Put it, beside what others have written into a policy of that name."""
        statements = _statements(prior["policy"])
        ours = step.arguments["statement"]
        if step.arguments.get("before"):
            ours = _dated(ours, cloud.now())
        self._put(cloud, step, [one for one in statements if one.get("Sid") != SID] + [ours])
        return {"policy": step.arguments["policy"]}

    def applied(self, cloud: "Cloud", step: Step, prior: Json) -> Json | None:
        """Whether our statement is there."""
        there = any(_ours(step, one) for one in _statements(self._read(cloud, step)))
        return {"policy": step.arguments["policy"]} if there else None

    def verify(self, cloud: "Cloud", step: Step, prior: Json) -> Verdict:
        """The policy as IAM gives it back; how soon all of AWS knows it, it does not say."""
        there = self.applied(cloud, step, prior) is not None
        return Verdict(there, "the inline policy", "" if there else "our denial is not in it")

    def undo(self, cloud: "Cloud", step: Step, prior: Json, outcome: Json) -> Json:
        """Take our statement out, and nothing else."""
        now = _statements(self._read(cloud, step))
        rest = [one for one in now if one.get("Sid") != SID]
        if len(rest) == len(now):
            return None
        if not all(_ours(step, one) for one in now if one.get("Sid") == SID):
            raise Conflict(
                f"The denial in {step.arguments['policy']} is not as we wrote it. {OTHERS}",
                f"Look at it; then take it out yourself and: --leave {step.key}",
            )
        if rest:
            self._put(cloud, step, rest)
        else:
            cloud.call(f"iam:Delete{step.arguments['owner']}Policy", **self._named(step))
        kept = [one for one in rest if one not in _statements(prior["policy"])]
        return {"statements of others kept": len(kept)} if kept else None

    def _named(self, step: Step) -> dict[str, str]:
        owner = step.arguments["owner"]
        return {f"{owner}Name": step.arguments["name"], "PolicyName": step.arguments["policy"]}

    def _read(self, cloud: "Cloud", step: Step) -> Json:
        try:
            found = cloud.call(f"iam:Get{step.arguments['owner']}Policy", **self._named(step))
        except Missing:
            return None
        return found["PolicyDocument"]

    def _put(self, cloud: "Cloud", step: Step, statements: list[Json]) -> None:
        document = {"Version": "2012-10-17", "Statement": statements}
        cloud.call(
            f"iam:Put{step.arguments['owner']}Policy",
            **self._named(step),
            PolicyDocument=json.dumps(document),
        )


def _statements(policy: Json) -> list[Json]:
    found = (policy or {}).get("Statement", [])
    return list(found) if isinstance(found, list) else [found]


def _dated(statement: Json, moment: str) -> Json:
    """The statement for those alone who were signed in before the moment, ISO 8601 in UTC."""
    return {**statement, "Condition": {"DateLessThan": {ISSUED: moment}}}


def _ours(step: Step, found: Json) -> bool:
    """Whether a statement is what we wrote, at whatever moment we did."""
    ours = step.arguments["statement"]
    if step.arguments.get("before"):
        moment = found.get("Condition", {}).get("DateLessThan", {}).get(ISSUED)
        return isinstance(moment, str) and bool(found == _dated(ours, moment))
    return bool(found == ours)


@dataclass(frozen=True)
class Credential:
    """A kind of credential that IAM can switch off and on again, and how it is called there."""

    title: str
    listing: str
    member: str
    id: str
    update: str


CREDENTIALS = {
    "key": Credential("access key", "iam:ListAccessKeys", "AccessKeyMetadata", "AccessKeyId",
                      "iam:UpdateAccessKey"),
    "ssh": Credential("SSH key", "iam:ListSSHPublicKeys", "SSHPublicKeys", "SSHPublicKeyId",
                      "iam:UpdateSSHPublicKey"),
    "certificate": Credential("signing certificate", "iam:ListSigningCertificates", "Certificates",
                              "CertificateId", "iam:UpdateSigningCertificate"),
    "service": Credential("service's credential", "iam:ListServiceSpecificCredentials",
                          "ServiceSpecificCredentials", "ServiceSpecificCredentialId",
                          "iam:UpdateServiceSpecificCredential"),
}  # fmt: skip
"""By the kind of the step that switches one off."""


class Inactive:
    """A credential of a user is inactive. Arguments: `user`, `key`; its kind is the step's."""

    def capture(self, cloud: "Cloud", step: Step) -> Json:
        """Whether it is active. Raises `Missing`."""
        kind, name = CREDENTIALS[step.kind], step.arguments["key"]
        for one in cloud.pages(kind.listing, kind.member, UserName=step.arguments["user"]):
            if one[kind.id] == name:
                return {"status": one["Status"]}
        raise Missing(
            f"{step.arguments['user']} has no {kind.title} {name}.",
            "It may have been deleted meanwhile.",
        )

    def apply(self, cloud: "Cloud", step: Step, prior: Json) -> Json:
        """Inactive from now on; sessions that were made with it live on."""
        self._set(cloud, step, "Inactive")
        return {"status": "Inactive"}

    def applied(self, cloud: "Cloud", step: Step, prior: Json) -> Json | None:
        """Whether it is inactive."""
        now = self.capture(cloud, step)
        return now if now["status"] == "Inactive" else None

    def verify(self, cloud: "Cloud", step: Step, prior: Json) -> Verdict:
        """IAM's own word."""
        now = self.capture(cloud, step)["status"]
        return Verdict(now == "Inactive", "the status of the credential", f"it is {now}")

    def undo(self, cloud: "Cloud", step: Step, prior: Json, outcome: Json) -> Json:
        """As it was; one that was deleted meanwhile stays so."""
        try:
            now = self.capture(cloud, step)
        except Missing as error:
            raise Conflict(error.message, f"Leave it: --leave {step.key}") from error
        if now["status"] != prior["status"]:
            self._set(cloud, step, prior["status"])
        return None

    def _set(self, cloud: "Cloud", step: Step, status: str) -> None:
        kind = CREDENTIALS[step.kind]
        named = {"UserName": step.arguments["user"], kind.id: step.arguments["key"]}
        cloud.call(kind.update, **named, Status=status)
