# SPDX-License-Identifier: Apache-2.0
"""An interface that AWS manages itself: one that a test tags so, for moto's never are."""

from tests.clouds.aws.lacking import Answer, Asked
from tests.clouds.aws.server import ACCOUNT, REGION

MANAGED = "test:managed-by-aws"


def tagged(asked: Asked) -> Answer | None:
    """The tag is set by moto; here the interface becomes what it says."""
    from moto.ec2.models import ec2_backends

    if MANAGED in (asked.form.get("Tag.1.Key") or ()):
        backend = ec2_backends[ACCOUNT][REGION]
        backend.get_network_interface(asked.form["ResourceId.1"][0]).requester_managed = True
    return None


ANSWERS = {"ec2:CreateTags": tagged}
