# SPDX-License-Identifier: Apache-2.0
"""DSSE envelopes, in the one form that the ledger writes: a line of ASCII JSON without spaces.

Any other spelling of the same envelope is refused: an entry is hashed as it is written.
"""

import base64
import binascii
import re
from typing import NamedTuple

from locard_verify.malformed import Malformed

PAYLOAD_TYPE = "application/vnd.in-toto+json"

_HEAD = f"DSSEv1 {len(PAYLOAD_TYPE)} {PAYLOAD_TYPE} ".encode()
_LINE = re.compile(
    rb'\{"payload":"([A-Za-z0-9+/]+={0,2})","payloadType":"'
    + re.escape(PAYLOAD_TYPE.encode())
    + rb'","signatures":\[\{"keyid":"([!#-\[\]-~]{1,300})","sig":"([A-Za-z0-9+/]+={0,2})"\}\]\}'
)


class Envelope(NamedTuple):
    """A signed payload and who is said to have signed it."""

    payload: bytes
    keyid: str
    signature: bytes


def pae(payload: bytes) -> bytes:
    """What is signed: type and payload with their lengths, so that neither can be shifted."""
    return _HEAD + str(len(payload)).encode() + b" " + payload


def line_of(payload: bytes, keyid: str, signature: bytes) -> bytes:
    """The envelope as a line, without its end."""
    return b'{"payload":"%s","payloadType":"%s","signatures":[{"keyid":"%s","sig":"%s"}]}' % (
        base64.b64encode(payload),
        PAYLOAD_TYPE.encode(),
        keyid.encode(),
        base64.b64encode(signature),
    )


def read_line(line: bytes) -> Envelope:
    """The envelope that a line holds. Raises `Malformed`; the signature is not looked at."""
    found = _LINE.fullmatch(line)
    if found is None:
        raise Malformed("it is not an envelope")
    payload, keyid, signature = found.groups()
    try:
        return Envelope(
            binascii.a2b_base64(payload, strict_mode=True),
            keyid.decode(),
            binascii.a2b_base64(signature, strict_mode=True),
        )
    except binascii.Error as error:
        raise Malformed("its base64 is broken") from error
