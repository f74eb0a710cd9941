# SPDX-License-Identifier: Apache-2.0
"""AWS KMS signs the ledger; the server is moto's, which really signs with ECDSA."""

import subprocess
from base64 import b64decode
from dataclasses import replace
from pathlib import Path

import pytest
from botocore.stub import ANY, Stubber

from locard.cases.desk import Desk
from locard.evidence import Draft
from locard.model.custody import Hand, Verb
from locard.model.errors import Conflict, Error
from locard.providers import signing_service
from locard.settings import Settings
from locard_verify import dsse
from locard_verify.keys import ECDSA_P256, read_key

pytestmark = pytest.mark.server
ANA = Hand("ana")


@pytest.fixture
def key(kms) -> str:
    made = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    return str(made["KeyMetadata"]["Arn"])


def add(desk: Desk, count: int = 1) -> None:
    desk.vault.prepare_folder()
    desk.vault.ledger.append([Draft(ANA, Verb.EXPORTED, "", "c", f"number {n}")
                              for n in range(count)])  # fmt: skip


def test_a_ledger_signed_by_kms_verifies_with_its_public_key_alone(home: Path, key: str) -> None:
    desk = Desk(Settings(home=home, workers=1, signing_key=f"kms:{key}"))
    add(desk, 40)
    desk.checkpoints.checkpoint()
    assert desk.vault.ledger.check().passed
    assert desk.vault.ledger.proof(17).entry.reason == "number 15"
    assert not (home / "keys" / "ledger.pem").exists()
    known = read_key((home / "trusted.vkey").read_text())
    assert known.encoded[0] == ECDSA_P256
    name = known.name
    desk.close()
    again = Desk(Settings(home=home, workers=1, signing_key=f"kms:{key}"))
    add(again)
    assert again.vault.ledger.signer.key.name == name
    again.close()


def test_openssl_verifies_what_kms_signed(home: Path, key: str, tmp_path: Path) -> None:
    desk = Desk(Settings(home=home, workers=1, signing_key=f"kms:{key}"))
    add(desk)
    proof = desk.vault.ledger.proof(2)
    desk.close()
    envelope = dsse.read_line(proof.envelope)
    (tmp_path / "signed").write_bytes(dsse.pae(envelope.payload))
    (tmp_path / "sig").write_bytes(envelope.signature)
    (tmp_path / "pem").write_text(proof.key.pem())
    command = ["openssl", "dgst", "-sha256", "-verify", tmp_path / "pem", "-signature",
               tmp_path / "sig", tmp_path / "signed"]  # fmt: skip
    assert b"Verified OK" in subprocess.run(command, capture_output=True, check=True).stdout


def test_the_key_in_the_file_introduces_the_one_in_kms(home: Path, key: str) -> None:
    settings = Settings(home=home, workers=1)
    desk = Desk(settings)
    add(desk)
    desk.close()
    desk = Desk(replace(settings, signing_key=f"kms:{key}"))
    with pytest.raises(Conflict, match="does not know the key"):
        add(desk)
    desk.checkpoints.new_key(ANA, "into the key service")
    add(desk)
    found = list(desk.vault.ledger.entries())
    assert [one.verb for one in found][-2:] == [Verb.KEY_INTRODUCED, Verb.EXPORTED]
    assert desk.vault.ledger.check().passed
    assert desk.vault.ledger.proof(len(found)).key.encoded[0] == ECDSA_P256
    desk.close()


def test_a_key_in_kms_introduces_its_successor(home: Path, kms, key: str) -> None:
    first = Settings(home=home, workers=1, signing_key=f"kms:{key}")
    desk = Desk(first)
    add(desk)
    with pytest.raises(Conflict, match="is one of this ledger already"):
        desk.checkpoints.new_key(ANA, "again", f"kms:{key}")
    desk.close()
    other = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    third = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    desk = Desk(replace(first, signing_key=f"kms:{other}"))
    with pytest.raises(Conflict, match="never signed this ledger"):
        desk.checkpoints.new_key(ANA, "the yearly change", f"kms:{third}")
    with pytest.raises(Conflict, match="no key in a file"):
        desk.checkpoints.new_key(ANA, "the yearly change")
    desk.checkpoints.new_key(ANA, "the yearly change", f"kms:{key}")
    add(desk)
    assert [one.verb for one in desk.vault.ledger.entries()][-2:] == [
        Verb.KEY_INTRODUCED,
        Verb.EXPORTED,
    ]
    assert len(desk.vault.ledger.keys()) == 2
    assert desk.vault.ledger.check().passed
    desk.close()


@pytest.mark.parametrize(
    ("spec", "usage"),
    [("RSA_2048", "SIGN_VERIFY"), ("ECC_NIST_P384", "SIGN_VERIFY")],
)
def test_a_key_of_another_kind_is_refused(kms, spec: str, usage: str) -> None:
    arn = kms.create_key(KeySpec=spec, KeyUsage=usage)["KeyMetadata"]["Arn"]
    with pytest.raises(Error, match="cannot sign the custody ledger") as caught:
        _ = signing_service(arn, lambda: "locard/test").key
    assert "ECC_NIST_P256" in caught.value.advice


def test_a_long_message_is_sent_as_its_digest(key: str) -> None:
    """moto does not know digests, so the call is judged by its shape."""
    service = signing_service(key, lambda: "locard/test")
    with Stubber(service._client) as stub:
        stub.add_response("sign", {"Signature": b"signed"}, {
            "KeyId": key, "Message": ANY, "MessageType": "DIGEST",
            "SigningAlgorithm": "ECDSA_SHA_256",
        })  # fmt: skip
        assert service.sign_many([b"x" * 5_000]) == [b"signed"]


def test_what_names_no_key_is_refused(home: Path) -> None:
    with pytest.raises(Error, match="names no key"):
        Desk(Settings(home=home, workers=1, signing_key="vault:mine"))


def test_a_verifier_key_of_type_two_is_read_as_it_is_written(key: str) -> None:
    known = signing_service(key, lambda: "locard/test").key
    assert read_key(known.vkey) == known
    assert b64decode(known.vkey.split("+", 2)[2])[0] == ECDSA_P256
