# SPDX-License-Identifier: Apache-2.0
"""Lambda's provisioned concurrency, and the list of a function's URLs, as its model has them."""

import json
import re

from tests.clouds.aws.lacking import Answer, Asked
from tests.clouds.aws.server import ACCOUNT, REGION

READY: dict[tuple[str, str], int] = {}
"""How many environments are kept ready, by function and alias."""


def _of(asked: Asked) -> tuple[str, str]:
    found = re.search(r"/functions/([^/]+)/", asked.path)
    assert found is not None
    return found[1], asked.query.get("Qualifier", [""])[0]


def _said(key: tuple[str, str]) -> dict[str, object]:
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{key[0]}:{key[1]}"
    return {"FunctionArn": arn, "RequestedProvisionedConcurrentExecutions": READY[key],
            "AllocatedProvisionedConcurrentExecutions": READY[key], "Status": "READY"}  # fmt: skip


def provisioned(asked: Asked) -> Answer:
    """Get, list, put and delete."""
    key, method = _of(asked), asked.name.partition(":")[2].split(" ")[0]
    if "List" in asked.query:
        found = [_said(one) for one in READY if one[0] == key[0]]
        return Answer(json.dumps({"ProvisionedConcurrencyConfigs": found}))
    if method == "PUT":
        READY[key] = json.loads(asked.body)["ProvisionedConcurrentExecutions"]
        return Answer(json.dumps(_said(key)), "202 Accepted")
    if method == "DELETE":
        READY.pop(key, None)
        return Answer("", "204 No Content")
    if key not in READY:
        body = {"__type": "ProvisionedConcurrencyConfigNotFoundException", "message": "none"}
        return Answer(json.dumps(body), "404 Not Found")
    return Answer(json.dumps(_said(key)))


def reserved(asked: Asked) -> Answer | None:
    """Lambda takes no reservation below what is kept ready; moto does, so it is refused here."""
    name = _of(asked)[0]
    ready = sum(number for key, number in READY.items() if key[0] == name)
    if ready > json.loads(asked.body)["ReservedConcurrentExecutions"]:
        body = {"__type": "InvalidParameterValueException", "message": f"{ready} are provisioned"}
        return Answer(json.dumps(body), "400 Bad Request")
    return None


def urls(asked: Asked) -> Answer:
    """The URL that moto keeps for the function, if any."""
    from moto.awslambda.models import lambda_backends

    function = lambda_backends[ACCOUNT][REGION].get_function(_of(asked)[0])
    found = [function.url_config.to_dict()] if function.url_config else []
    return Answer(json.dumps({"FunctionUrlConfigs": found}))


def permitted(asked: Asked) -> Answer:
    """moto's own, but the conditions it does not know go where Lambda writes them."""
    from moto.awslambda.models import lambda_backends

    function = lambda_backends[ACCOUNT][REGION].get_function(_of(asked)[0])
    qualifier = asked.query.get("Qualifier", [None])[0]
    made, _ = function.policy.add_statement(asked.body.decode(), qualifier)
    if auth := made.pop("FunctionUrlAuthType", None):
        condition = made.setdefault("Condition", {})
        condition.setdefault("StringEquals", {})["lambda:FunctionUrlAuthType"] = auth
    return Answer(json.dumps({"Statement": json.dumps(made)}), "201 Created")


ANSWERS = {
    r"lambda:POST .*/policy": permitted,
    r"lambda:\w+ .*/provisioned-concurrency": provisioned,
    r"lambda:PUT .*/concurrency": reserved,
    r"lambda:GET .*/functions/[^/]+/urls": urls,
}
