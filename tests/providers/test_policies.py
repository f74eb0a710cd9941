# SPDX-License-Identifier: Apache-2.0
"""The policies of the page: each is enough for what it promises, and lets nobody do more.

moto holds calls against IAM policies when it is told to. The policy that is tried is the text of
the page itself.
"""

import io
import json
import re
import secrets
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ClientError

from locard.evidence import Vault
from locard.evidence.ciphers import Envelope
from locard.evidence.place import Place
from locard.evidence.sealed import Sealed
from locard.evidence.store import Fixed
from locard.model.errors import Denied
from locard.model.evidence import Origin
from locard.providers import connect, key_service
from tests.servers.moto import enforce, moto

pytestmark = pytest.mark.server

PAGE = (
    Path(__file__).parent.parent.parent
    / "docs"
    / "howto"
    / "keep-evidence-where-nobody-can-delete-it.md"
)
BUCKET = "my-evidence"
KEY = "arn:aws:kms:eu-central-1:111122223333:key/KEY-ID"
MOTO = {"s3:GetBucketObjectLockConfiguration": "s3:ListBucket", KEY: "*"}
"""What moto asks for where AWS asks for something narrower: it knows no action of Object Lock, and
holds calls of KMS against no resource."""


def policy(name: str) -> dict:
    text = PAGE.read_text("utf-8")
    return json.loads(re.search(rf"^```json {name}\n(.*?)^```", text, re.M | re.S)[1])


@pytest.fixture
def endpoint() -> Iterator[str]:
    with moto() as endpoint:
        yield endpoint


class Account:
    """An AWS account with the bucket and the key of the page."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.root = {"aws_access_key_id": "root", "aws_secret_access_key": "root"}
        self.s3 = self.client("s3", self.root)
        self.s3.create_bucket(
            Bucket=BUCKET,
            ObjectLockEnabledForBucket=True,
            CreateBucketConfiguration={"LocationConstraint": "eu-central-1"},
        )
        self.key = self.client("kms", self.root).create_key()["KeyMetadata"]["Arn"]

    def client(self, service: str, who: dict[str, str]):
        return boto3.client(service, endpoint_url=self.endpoint, region_name="eu-central-1", **who)

    def user(self, *names: str) -> dict[str, str]:
        """A user with these policies of the page, and nothing else."""
        iam, name = self.client("iam", self.root), f"u{secrets.token_hex(4)}"
        iam.create_user(UserName=name)
        for one in names:
            text = json.dumps(policy(one))
            for name_of_aws, name_of_moto in MOTO.items():
                text = text.replace(name_of_aws, name_of_moto)
            iam.put_user_policy(UserName=name, PolicyName=one[:-5], PolicyDocument=text)
        made = iam.create_access_key(UserName=name)["AccessKey"]
        return {
            "aws_access_key_id": made["AccessKeyId"],
            "aws_secret_access_key": made["SecretAccessKey"],
        }


def become(who: dict[str, str], endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in who.items():
        monkeypatch.setenv(name.upper(), value)
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", endpoint)


def test_the_policies_suffice_to_keep_read_hold_and_retain_and_for_nothing_else(
    endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = Account(endpoint)
    who = account.user("evidence-policy.json", "key-policy.json")
    become(who, endpoint, monkeypatch)
    enforce(endpoint)
    place = Place.of(f"s3://{BUCKET}/locard?endpoint={endpoint}&retain=7d")
    store = Sealed(connect(place), [Envelope(key_service(account.key))])
    vault = Vault(tmp_path / "home" / "vault", Fixed(store))
    vault.prepare()
    for data in (b"one", b"two"):  # moto computes no checksum of parts as AWS does
        put = vault.put(io.BytesIO(data), Origin(name="a"), case="c", actor="a", reason="t")
        with vault.open(put.evidence.id, case="c", actor="a", reason="t") as file:
            assert file.read() == data
        assert store.hold(put.evidence.id, True).held
        assert not store.hold(put.evidence.id, False).held
        until = put.kept.until + 10**15
        assert store.retain(put.evidence.id, until).until > put.kept.until
    assert len(list(store.names())) == 2
    key = f"locard/objects/{put.evidence.id}.envelope"
    s3, kms = account.client("s3", who), account.client("kms", who)
    refused = [
        lambda: s3.delete_object(Bucket=BUCKET, Key=key),
        lambda: s3.delete_object(Bucket=BUCKET, Key=key, VersionId=put.kept.version),
        lambda: s3.put_object(Bucket=BUCKET, Key="elsewhere", Body=b"x"),
        lambda: s3.delete_bucket(Bucket=BUCKET),
        lambda: s3.put_bucket_versioning(
            Bucket=BUCKET, VersioningConfiguration={"Status": "Suspended"}
        ),
        lambda: kms.schedule_key_deletion(KeyId=account.key),
        lambda: kms.disable_key(KeyId=account.key),
    ]
    for attempt in refused:
        with pytest.raises(ClientError) as caught:
            attempt()
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] in (400, 403)
        assert re.search("AccessDenied|403", caught.value.response["Error"]["Code"])


def test_without_the_policy_it_is_said_what_is_missing(
    endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = Account(endpoint)
    become(account.user("key-policy.json"), endpoint, monkeypatch)
    enforce(endpoint)
    place = Place.of(f"s3://{BUCKET}/locard?endpoint={endpoint}&retain=7d")
    with pytest.raises(Denied, match="refused s3:GetBucketObjectLockConfiguration"):
        connect(place).prepare()
