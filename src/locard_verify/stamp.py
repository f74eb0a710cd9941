# SPDX-License-Identifier: Apache-2.0
"""Time stamps of RFC 3161: an authority's word that these bytes existed at that time.

A token is judged at the time it names: its certificate may have run out since. Whether one was
revoked is not asked, since nothing here uses the network.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from rfc3161_client import VerificationError, VerifierBuilder, decode_timestamp_response

from locard_verify.malformed import Malformed

LARGEST = 1 << 17
"""Bytes of a response that are looked at."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a token says once it is verified."""

    time: datetime
    """UTC, by the authority's clock."""
    serial: int
    policy: str
    authority: str
    """The subject of the certificate that signed."""


def certificates(pem: bytes) -> list[x509.Certificate]:
    """The certificates in a PEM file. Raises `Malformed`."""
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError as error:
        raise Malformed("it holds no certificate in PEM") from error


def check(
    response: bytes,
    message: bytes,
    roots: Iterable[x509.Certificate],
    nonce: int | None = None,
) -> Stamp:
    """What the response stamps, when it is a token over `message` under one of `roots`.

    Raises `Malformed` that says what is wrong with it.
    """
    if len(response) > LARGEST:
        raise Malformed("it is too long for a time stamp")
    try:
        found = decode_timestamp_response(response)
        info, signed = found.tst_info, found.signed_data
        inside = [x509.load_der_x509_certificate(one) for one in signed.certificates]
    except ValueError as error:
        if "InvalidSetOrdering" in str(error):
            raise Malformed(
                "the certificates in it are not in the order that DER asks for, which several "
                "verifiers refuse"
            ) from error
        raise Malformed(f"it is not a time stamp response: {error}") from error
    trusted = list(roots)
    if not trusted:
        raise Malformed("there is no root certificate to judge it by")
    # What comes with the token helps to build the chain; only `roots` are trusted.
    builder = VerifierBuilder(roots=trusted, nonce=nonce)
    try:
        builder.build().verify_message(found, message)
    except (VerificationError, ValueError) as error:
        raise Malformed(_said(error)) from error
    return Stamp(info.gen_time, info.serial_number, info.policy.dotted_string, _signer(inside))


def _signer(inside: Sequence[x509.Certificate]) -> str:
    for one in inside:
        try:
            use = one.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        except x509.ExtensionNotFound:
            continue
        if ExtendedKeyUsageOID.TIME_STAMPING in use:
            return one.subject.rfc4514_string()
    return ""


def _said(error: Exception) -> str:
    text = str(error)
    if "Mismatch between messages" in text:
        return "it is a token over other bytes"
    if "PKIStatus" in text:
        return "the authority refused to stamp it"
    if "Nonce" in text:
        return "it answers another request (its nonce is not ours)"
    return f"it does not verify: {text}"
