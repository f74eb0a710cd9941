# SPDX-License-Identifier: Apache-2.0
"""`iam:SimulatePrincipalPolicy`: the role's true policies in moto, judged by moto's own evaluator.

The answer has the shape that IAM's model describes; conditions, boundaries and service control
policies are not judged.
"""

import json

from tests.clouds.aws.lacking import Answer, Asked
from tests.clouds.aws.server import ACCOUNT

SPACE = 'xmlns="https://iam.amazonaws.com/doc/2010-05-08/"'


def simulate(asked: Asked) -> Answer:
    """Whether the role may, for each action on each resource."""
    from moto.iam.access_control import IAMPolicy, PermissionResult
    from moto.iam.exceptions import NotFoundException
    from moto.iam.models import iam_backends

    backend = iam_backends[ACCOUNT]["aws"]
    arn = asked.form["PolicySourceArn"][0]
    try:
        role = backend.get_role_by_arn(arn)
    except NotFoundException:
        error = "<Error><Type>Sender</Type><Code>NoSuchEntity</Code><Message>no</Message></Error>"
        return Answer(
            f"<ErrorResponse {SPACE}>{error}</ErrorResponse>", "404 Not Found", "text/xml"
        )
    policies = [IAMPolicy(text if isinstance(text, str) else json.dumps(text))
                for text in role.policies.values()]  # fmt: skip
    policies += [IAMPolicy(one) for one in role.managed_policies.values()]
    results = []
    for action in listed(asked, "ActionNames"):
        for resource in listed(asked, "ResourceArns") or ["*"]:
            said = {one.is_action_permitted(action, resource) for one in policies}
            word = "implicitDeny"
            if PermissionResult.DENIED in said:
                word = "explicitDeny"
            elif PermissionResult.PERMITTED in said:
                word = "allowed"
            results.append(
                f"<member><EvalActionName>{action}</EvalActionName><EvalResourceName>{resource}"
                f"</EvalResourceName><EvalDecision>{word}</EvalDecision></member>"
            )
    inner = f"<EvaluationResults>{''.join(results)}</EvaluationResults><IsTruncated>false"
    body = f"<SimulatePrincipalPolicyResult>{inner}</IsTruncated></SimulatePrincipalPolicyResult>"
    name = "SimulatePrincipalPolicyResponse"
    return Answer(f"<{name} {SPACE}>{body}</{name}>", kind="text/xml")


def listed(asked: Asked, name: str) -> list[str]:
    """A list of a form: `ActionNames.member.1`, ..."""
    return [one[0] for key, one in asked.form.items() if key.startswith(f"{name}.member.")]


ANSWERS = {"iam:SimulatePrincipalPolicy": simulate}
