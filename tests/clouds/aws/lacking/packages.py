# SPDX-License-Identifier: Apache-2.0
"""Where the code of a function lies: moto names an address that nobody answers.

The package of a function is the object that it was created from, which moto's own S3 serves here.
"""

import json
import re
import sys

from tests.clouds.aws.lacking import Answer, Asked
from tests.clouds.aws.server import ACCOUNT, REGION


def function(asked: Asked) -> Answer | None:
    """GetFunction, with the address of the object that the code came from."""
    from moto.awslambda.models import lambda_backends

    found = re.search(r"/functions/([^/]+)$", asked.path)
    assert found is not None
    qualifier = asked.query.get("Qualifier", [None])[0]
    one = lambda_backends[ACCOUNT][REGION].get_function(found[1], qualifier)
    if not one.code.get("S3Key"):
        return None
    configuration = json.loads(json.dumps(one.get_configuration(), default=str))
    where = f"http://127.0.0.1:{sys.argv[1]}/{one.code['S3Bucket']}/{one.code['S3Key']}"
    body = {"Configuration": configuration, "Code": {"RepositoryType": "S3", "Location": where}}
    return Answer(json.dumps(body))


ANSWERS = {r"lambda:GET .*/functions/[^/]+": function}
