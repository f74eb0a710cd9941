# SPDX-License-Identifier: Apache-2.0
"""AWS KMS wraps the keys of evidence; the server is moto's, which really wraps and unwraps."""

import io
from pathlib import Path

import pytest
from botocore.stub import Stubber

from locard.cases.desk import Desk
from locard.model.errors import Denied, Error, Missing, Storage, Tampered
from locard.model.evidence import Origin
from locard.providers import key_service
from locard.settings import Settings

pytestmark = pytest.mark.server


@pytest.fixture
def key(kms) -> str:
    return kms.create_key()["KeyMetadata"]["Arn"]


def test_a_key_is_wrapped_for_one_piece_of_evidence(key: str) -> None:
    service = key_service(key)
    plain, wrapped = service.data_key("a" * 64)
    assert len(plain) == 32 and plain not in wrapped
    assert service.unwrap("a" * 64, wrapped) == plain
    with pytest.raises(Tampered, match="or is another's"):
        service.unwrap("b" * 64, wrapped)


def test_evidence_lies_encrypted_and_comes_back(home: Path, key: str) -> None:
    desk = Desk(Settings(home=home, workers=1, encrypt=f"kms:{key}"))
    desk.vault.prepare()
    origin = Origin(name="a")
    put = desk.vault.put(io.BytesIO(b"secret" * 999), origin, case="c", actor="a", reason="t")
    (stored,) = (p for p in (home / "vault" / "objects").rglob("*") if p.is_file())
    assert stored.name.endswith(".envelope") and b"secret" not in stored.read_bytes()
    with desk.vault.open(put.evidence.id, case="c", actor="a", reason="t") as file:
        assert file.read() == b"secret" * 999
    desk.close()


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("DisabledException", "it is disabled"),
        ("KMSInvalidStateException", "about to be deleted"),
        ("ExpiredTokenException", "have expired"),
        ("AccessDeniedException", r"refused kms:Decrypt"),
        ("ThrottlingException", "too busy"),
    ],
)
def test_what_kms_answers_when_it_does_not_is_a_sentence(key: str, word: str, said: str) -> None:
    """moto decrypts with disabled keys too, so the answers are those of the documentation."""
    service = key_service(key)
    _, wrapped = service.data_key("a" * 64)
    with Stubber(service._client) as stub:
        stub.add_client_error("decrypt", word, "arn:aws:sts::1:assumed-role/x", 400)
        with pytest.raises(Error, match=said) as caught:
            service.unwrap("a" * 64, wrapped)
    assert "sts" not in caught.value.message
    if "disabled" in said:
        assert "nobody can read the evidence" in caught.value.advice


def test_a_key_that_is_not_there_stops_before_anything_is_taken_in(home: Path, kms) -> None:
    desk = Desk(Settings(home=home, workers=1, encrypt="kms:alias/none"))
    with pytest.raises(Error) as caught:
        desk.vault.prepare()
    assert isinstance(caught.value, Storage | Missing | Denied)
    desk.close()
