# SPDX-License-Identifier: Apache-2.0
"""A Lambda function does not run any more, and nothing can ask it to.

A concurrency that was never reserved is not the same as one of nought, so its absence is put back
as absence. The address of a function URL is made anew when a URL is deleted, so a URL is closed by
who may call it and never deleted.
"""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from locard.actions.isolate.aws.steps.found import until
from locard.model.action import Json, Step, Verdict
from locard.model.errors import Conflict, Missing
from locard.model.spoken import spoken

if TYPE_CHECKING:
    from locard.providers.aws.session import Cloud


class Concurrency:
    """The function may run no times at once. Arguments: `function`."""

    def capture(self, cloud: "Cloud", step: Step) -> Json:
        """How many runs are reserved for it; None: none are, and it shares the account's."""
        found = cloud.call("lambda:GetFunctionConcurrency", FunctionName=step.arguments["function"])
        return {"reserved": found.get("ReservedConcurrentExecutions")}

    def apply(self, cloud: "Cloud", step: Step, prior: Json) -> Json:
        """Nought from now on; what runs already goes on to its end."""
        self._set(cloud, step, 0)
        return {"reserved": 0}

    def applied(self, cloud: "Cloud", step: Step, prior: Json) -> Json | None:
        """Whether it is nought."""
        now = self.capture(cloud, step)
        return now if now["reserved"] == 0 else None

    def verify(self, cloud: "Cloud", step: Step, prior: Json) -> Verdict:
        """Lambda's own word."""
        now = self.capture(cloud, step)["reserved"]
        detail = "it is not reserved" if now is None else f"it is {now}"
        return Verdict(now == 0, "the reserved concurrency", detail)

    def undo(self, cloud: "Cloud", step: Step, prior: Json, outcome: Json) -> Json:
        """The former number, or none at all, unless others gave it a third one."""
        now = self.capture(cloud, step)["reserved"]
        if now == prior["reserved"]:
            return None
        if now != 0:
            raise Conflict(
                f"{step.arguments['function']} has a concurrency of "
                f"{'no reservation' if now is None else now} now, as others set it.",
                f"Leave it so: --leave {step.key}",
            )
        if prior["reserved"] is None:
            cloud.call("lambda:DeleteFunctionConcurrency", FunctionName=step.arguments["function"])
        else:
            self._set(cloud, step, prior["reserved"])
        return None

    def _set(self, cloud: "Cloud", step: Step, number: int) -> None:
        cloud.call(
            "lambda:PutFunctionConcurrency",
            FunctionName=step.arguments["function"],
            ReservedConcurrentExecutions=number,
        )


class Provisioned:
    """No environments are kept ready, which would forbid a concurrency of nought.

    Arguments: `function`, `qualifier`.
    """

    def capture(self, cloud: "Cloud", step: Step) -> Json:
        """How many were asked for; nought when none."""
        try:
            found = cloud.call("lambda:GetProvisionedConcurrencyConfig", **self._named(step))
        except Missing:
            return {"provisioned": 0}
        return {"provisioned": found["RequestedProvisionedConcurrentExecutions"]}

    def apply(self, cloud: "Cloud", step: Step, prior: Json) -> Json:
        """Take them away."""
        if prior["provisioned"]:
            cloud.call("lambda:DeleteProvisionedConcurrencyConfig", **self._named(step))
        return {"provisioned": 0}

    def applied(self, cloud: "Cloud", step: Step, prior: Json) -> Json | None:
        """Whether there are none."""
        now = self.capture(cloud, step)
        return None if now["provisioned"] else now

    def verify(self, cloud: "Cloud", step: Step, prior: Json) -> Verdict:
        """Lambda's own word."""
        now = self.capture(cloud, step)["provisioned"]
        return Verdict(
            not now, "the provisioned concurrency", f"{now or 'no'} environments are kept ready"
        )

    def undo(self, cloud: "Cloud", step: Step, prior: Json, outcome: Json) -> Json:
        """As many as there were; making them ready takes Lambda some minutes."""
        now = self.capture(cloud, step)["provisioned"]
        if now == prior["provisioned"]:
            return None
        if now:
            raise Conflict(
                f"{now} environments are kept ready now, as others asked for.",
                f"Leave it so: --leave {step.key}",
            )
        cloud.call(
            "lambda:PutProvisionedConcurrencyConfig", **self._named(step),
            ProvisionedConcurrentExecutions=prior["provisioned"],
        )  # fmt: skip
        return None

    def _named(self, step: Step) -> dict[str, str]:
        given = step.arguments
        return {"FunctionName": given["function"], "Qualifier": given["qualifier"]}


class Source:
    """An event source mapping brings the function nothing. Arguments: `mapping`."""

    def capture(self, cloud: "Cloud", step: Step) -> Json:
        """Whether it is on. Raises `Missing`."""
        found = self._read(cloud, step)
        return {"enabled": found["State"] in ("Enabled", "Enabling", "Creating", "Updating")}

    def apply(self, cloud: "Cloud", step: Step, prior: Json) -> Json:
        """Off; what the source holds waits there."""
        self._set(cloud, step, False)
        return {"enabled": False}

    def applied(self, cloud: "Cloud", step: Step, prior: Json) -> Json | None:
        """Whether it is off."""
        return None if self.capture(cloud, step)["enabled"] else {"enabled": False}

    def verify(self, cloud: "Cloud", step: Step, prior: Json) -> Verdict:
        """Lambda's own word about its state."""
        now = self._read(cloud, step)["State"]
        return Verdict(now in ("Disabled", "Disabling"), "the event source mapping", f"it is {now}")

    def undo(self, cloud: "Cloud", step: Step, prior: Json, outcome: Json) -> Json:
        """On again if it was; one that was deleted meanwhile stays so."""
        try:
            now = self.capture(cloud, step)
        except Missing as error:
            raise Conflict(error.message, f"Leave it: --leave {step.key}") from error
        if now["enabled"] != prior["enabled"]:
            self._set(cloud, step, prior["enabled"])
        return None

    def _read(self, cloud: "Cloud", step: Step) -> dict[str, Json]:
        return cloud.call("lambda:GetEventSourceMapping", UUID=step.arguments["mapping"])

    def _set(self, cloud: "Cloud", step: Step, enabled: bool) -> None:
        name = step.arguments["mapping"]
        cloud.call("lambda:UpdateEventSourceMapping", UUID=name, Enabled=enabled)
        wanted = "Enabled" if enabled else "Disabled"
        until(lambda: self._read(cloud, step)["State"] == wanted, f"Switching the mapping {name}")


class Url:
    """A function URL answers only who is signed in and allowed. Arguments: `function`, `qualifier`.

    Its address stays, so that a release brings back the same one.
    """

    def capture(self, cloud: "Cloud", step: Step) -> Json:
        """Who may call it: NONE is everybody."""
        found = cloud.call("lambda:GetFunctionUrlConfig", **self._named(step))
        return {"auth": found["AuthType"], "url": found["FunctionUrl"]}

    def apply(self, cloud: "Cloud", step: Step, prior: Json) -> Json:
        """AWS asks for a signature from now on."""
        self._set(cloud, step, "AWS_IAM")
        return {"auth": "AWS_IAM"}

    def applied(self, cloud: "Cloud", step: Step, prior: Json) -> Json | None:
        """Whether it does."""
        now = self.capture(cloud, step)["auth"]
        return {"auth": now} if now == "AWS_IAM" else None

    def verify(self, cloud: "Cloud", step: Step, prior: Json) -> Verdict:
        """Lambda's own word."""
        now = self.capture(cloud, step)["auth"]
        return Verdict(now == "AWS_IAM", "the function URL", f"its authentication is {spoken(now)}")

    def undo(self, cloud: "Cloud", step: Step, prior: Json, outcome: Json) -> Json:
        """As it was; a URL that is gone or another one is not ours to change."""
        try:
            now = self.capture(cloud, step)
        except Missing as error:
            raise Conflict(
                f"The function URL {prior['url']} was deleted meanwhile, and cannot be made again.",
                f"Leave it: --leave {step.key}",
            ) from error
        if now["url"] != prior["url"]:
            raise Conflict(
                f"The function URL is {now['url']} now, which others made.",
                f"Leave it: --leave {step.key}",
            )
        if now["auth"] != prior["auth"]:
            self._set(cloud, step, prior["auth"])
        return None

    def _named(self, step: Step) -> dict[str, str]:
        given = {"FunctionName": step.arguments["function"]}
        if step.arguments["qualifier"]:
            given["Qualifier"] = step.arguments["qualifier"]
        return given

    def _set(self, cloud: "Cloud", step: Step, auth: str) -> None:
        cloud.call("lambda:UpdateFunctionUrlConfig", **self._named(step), AuthType=auth)


class Invoker:
    """One statement of the function's policy is gone. Arguments: `function`, `qualifier`, `sid`."""

    def capture(self, cloud: "Cloud", step: Step) -> Json:
        """The statement, and how it is written again. Raises `Conflict` for one that cannot be."""
        found = statements(cloud, step.arguments["function"], step.arguments["qualifier"])
        for one in found:
            if one.get("Sid") == step.arguments["sid"]:
                again = permission(one)
                if again is None:
                    raise Conflict(
                        f"The statement {step.arguments['sid']} of the function's policy has "
                        "changed, and could not be put back.",
                        "Make a new plan.",
                    )
                return {"statement": one, "again": again}
        return {"statement": None, "again": None}

    def apply(self, cloud: "Cloud", step: Step, prior: Json) -> Json:
        """Take it out."""
        if prior["statement"] is not None:
            cloud.call("lambda:RemovePermission", **self._named(step))
        return {"removed": prior["statement"] is not None}

    def applied(self, cloud: "Cloud", step: Step, prior: Json) -> Json | None:
        """Whether it is out."""
        there = self.capture(cloud, step)["statement"] is not None
        return None if there else {"removed": prior["statement"] is not None}

    def verify(self, cloud: "Cloud", step: Step, prior: Json) -> Verdict:
        """Lambda's own word about the policy."""
        there = self.capture(cloud, step)["statement"] is not None
        return Verdict(not there, "the policy of the function", "it is in it" if there else "")

    def undo(self, cloud: "Cloud", step: Step, prior: Json, outcome: Json) -> Json:
        """Write it again, unless others used its name for something else."""
        if prior["statement"] is None:
            return None
        now = statements(cloud, step.arguments["function"], step.arguments["qualifier"])
        for one in now:
            if one.get("Sid") == step.arguments["sid"]:
                if one == prior["statement"]:
                    return None
                raise Conflict(
                    f"The policy has another statement {step.arguments['sid']} now.",
                    f"Leave it so: --leave {step.key}",
                )
        cloud.call("lambda:AddPermission", **self._named(step), **prior["again"])
        return None

    def _named(self, step: Step) -> dict[str, str]:
        given = {
            "FunctionName": step.arguments["function"],
            "StatementId": step.arguments["sid"],
        }
        if step.arguments["qualifier"]:
            given["Qualifier"] = step.arguments["qualifier"]
        return given


def statements(cloud: "Cloud", function: str, qualifier: str) -> list[dict[str, Json]]:
    """Who may do what with the function under one of its names; nothing when there is no policy."""
    named = {"Qualifier": qualifier} if qualifier else {}
    try:
        found = cloud.call("lambda:GetPolicy", FunctionName=function, **named)
    except Missing:
        return []
    ends = f":function:{function}" + (f":{qualifier}" if qualifier else "")
    every = json.loads(found["Policy"])["Statement"]
    return [one for one in every if str(one.get("Resource", "")).endswith(ends)]


_CONDITIONS = {
    ("arnlike", "aws:sourcearn"): "SourceArn",
    ("stringequals", "aws:sourceaccount"): "SourceAccount",
    ("stringequals", "aws:principalorgid"): "PrincipalOrgID",
    ("stringequals", "lambda:functionurlauthtype"): "FunctionUrlAuthType",
    ("stringequals", "lambda:eventsourcetoken"): "EventSourceToken",
}


def permission(statement: Mapping[str, Json]) -> dict[str, Json] | None:
    """What `AddPermission` is told to write the statement again; None when it has no words for it.

    Lambda takes no policy as a whole: a statement that was removed can come back only by this.
    """
    said = {"Sid", "Effect", "Principal", "Action", "Resource", "Condition"}
    if set(statement) - said or statement.get("Effect") != "Allow":
        return None
    principal = statement.get("Principal")
    if isinstance(principal, Mapping):
        (principal, *more) = principal.values() or ("",)
        if more:
            return None
    if not isinstance(principal, str) or not isinstance(statement.get("Action"), str):
        return None
    found: dict[str, Json] = {"Action": statement["Action"], "Principal": principal}
    for operator, pairs in (statement.get("Condition") or {}).items():
        for key, value in pairs.items():
            name = _CONDITIONS.get((operator.lower(), key.lower()))
            if (operator.lower(), key.lower()) == ("bool", "lambda:invokedviafunctionurl"):
                found["InvokedViaFunctionUrl"] = str(value).lower() == "true"
            elif name is None or not isinstance(value, str):
                return None
            else:
                found[name] = value
    return found
