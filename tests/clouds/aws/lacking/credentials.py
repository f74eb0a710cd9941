# SPDX-License-Identifier: Apache-2.0
"""IAM's credentials for single services, such as CodeCommit and Bedrock, as its model has them."""

from tests.clouds.aws.lacking import Answer, Asked
from tests.clouds.aws.lacking.simulation import SPACE

KEPT: dict[str, dict[str, str]] = {}
"""By their ids."""


def credentials(asked: Asked) -> Answer:
    """Create, list and update."""
    name, form = asked.name.partition(":")[2], {key: one[0] for key, one in asked.form.items()}
    if name.startswith("Create"):
        number = f"ACCA{len(KEPT):016}"
        KEPT[number] = {
            "UserName": form["UserName"], "Status": "Active", "ServiceUserName": form["UserName"],
            "CreateDate": "2026-11-01T00:00:00Z", "ServiceSpecificCredentialId": number,
            "ServiceName": form["ServiceName"],
        }  # fmt: skip
        inner = f"<ServiceSpecificCredential>{_xml(KEPT[number])}</ServiceSpecificCredential>"
    elif name.startswith("Update"):
        KEPT[form["ServiceSpecificCredentialId"]]["Status"] = form["Status"]
        return Answer(f"<{name}Response {SPACE}/>", kind="text/xml")
    else:
        mine = [one for one in KEPT.values() if one["UserName"] == form["UserName"]]
        members = "".join(f"<member>{_xml(one)}</member>" for one in mine)
        inner = f"<ServiceSpecificCredentials>{members}</ServiceSpecificCredentials>"
    body = f"<{name}Response {SPACE}><{name}Result>{inner}</{name}Result></{name}Response>"
    return Answer(body, kind="text/xml")


def _xml(values: dict[str, str]) -> str:
    return "".join(f"<{name}>{value}</{name}>" for name, value in values.items())


ANSWERS = {"iam:(Create|List|Update)ServiceSpecificCredentials?": credentials}
