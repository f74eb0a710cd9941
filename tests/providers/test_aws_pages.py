# SPDX-License-Identifier: Apache-2.0
"""Lists that AWS gives out in pages are read to their end, whatever the next one is called."""

import re
from pathlib import Path

import pytest
from botocore.exceptions import UnknownServiceError

import locard
from locard.providers.aws.session import Cloud
from tests.response.simulated import Room, aws, room

__all__ = ["aws", "room"]
ROOT = Path(locard.__file__).parent
PAGED = sorted(
    {
        found
        for file in (ROOT / "actions").rglob("*.py")
        for found in re.findall(r'pages\(\s*"([\w-]+:\w+)"', file.read_text())
    }
)


@pytest.mark.parametrize("action", PAGED)
def test_the_next_page_of_every_list_can_be_asked_for(
    action: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "k")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
    cloud = Cloud("1", "eu-central-1", "r", endpoint="http://127.0.0.1:9")
    try:
        client, method = cloud._method(action)
    except UnknownServiceError:
        pytest.fail(f"{action} is no call of the SDK")
    turn = cloud._turn(action)
    assert turn is not None, f"{action} has pages that nobody asks for"
    if client.can_paginate(method):
        shape = client.get_paginator(method)._pagination_cfg
        assert (shape["output_token"], shape["input_token"]) == turn


@pytest.mark.server
def test_parts_beyond_the_first_page_are_listed(room: Room) -> None:
    s3 = room.aws.client("s3")
    s3.create_bucket(
        Bucket="many-parts", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
    )
    made = s3.create_multipart_upload(Bucket="many-parts", Key="k")["UploadId"]
    where = {"Bucket": "many-parts", "Key": "k", "UploadId": made}
    for number in range(1, 6):
        s3.upload_part(**where, PartNumber=number, Body=b"x")
    room.target("account", "123456789012")
    cloud = Cloud("123456789012", "eu-central-1", "r", endpoint=room.aws.endpoint)
    found = [one["PartNumber"] for one in cloud.pages("s3:ListParts", "Parts", **where, MaxParts=2)]
    assert found == [1, 2, 3, 4, 5]
    assert [one.call for one in cloud.requests] == ["s3:ListParts"] * 3
