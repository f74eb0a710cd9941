# SPDX-License-Identifier: Apache-2.0
"""The Data API of a cluster is switched on and off, and moto's settings go where RDS has them."""

from tests.clouds.aws.lacking import Answer, Asked
from tests.clouds.aws.server import ACCOUNT, REGION

SPACE = 'xmlns="http://rds.amazonaws.com/doc/2014-10-31/"'


def endpoint(asked: Asked) -> Answer:
    """Enable and disable."""
    from moto.rds.models import rds_backends

    on, arn = asked.name.endswith(":EnableHttpEndpoint"), asked.form["ResourceArn"][0]
    cluster = rds_backends[ACCOUNT][REGION].clusters[arn.rpartition(":")[2]]
    cluster._enable_http_endpoint = on
    name, said = asked.name.partition(":")[2], str(on).lower()
    inner = f"<ResourceArn>{arn}</ResourceArn><HttpEndpointEnabled>{said}</HttpEndpointEnabled>"
    body = f"<{name}Response {SPACE}><{name}Result>{inner}</{name}Result></{name}Response>"
    return Answer(body, kind="text/xml")


def modified(asked: Asked) -> Answer | None:
    """moto sets it where it does not read it."""
    from moto.rds.models import rds_backends

    if said := asked.form.get("EnableIAMDatabaseAuthentication"):
        name = asked.form["DBClusterIdentifier"][0]
        rds_backends[ACCOUNT][REGION].clusters[name].iam_auth = said[0] == "true"
    return None


ANSWERS = {
    "rds:ModifyDBCluster": modified,
    "rds:(En|Dis)ableHttpEndpoint": endpoint,
}
