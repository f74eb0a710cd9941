# SPDX-License-Identifier: Apache-2.0
"""The statement of one custody entry: an in-toto Statement with our predicate.

The subject is the evidence by its SHA-256; of an entry about a case, or about the installation, it
is that name with the SHA-256 of the name.
"""

import json
import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from locard_verify.malformed import Malformed

STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://locard.dev/custody/v1"

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z")
"""RFC 3339 in UTC with nanoseconds: equal length, so that text order is the order of time."""

_TEXTS = ("actor", "door", "address", "agent", "verb", "evidence", "case", "exhibit", "reason")


def subject(evidence: str, case: str) -> dict[str, Any]:
    """What an entry about this evidence in this case is about."""
    if evidence:
        return {"name": evidence, "digest": {"sha256": evidence}}
    name = f"case:{case}" if case else "installation"
    return {"name": name, "digest": {"sha256": sha256(name.encode()).hexdigest()}}


def payload_of(predicate: Mapping[str, Any]) -> bytes:
    """The statement with this predicate, as it is signed: ASCII JSON without spaces."""
    statement = {
        "_type": STATEMENT,
        "subject": [subject(predicate["evidence"], predicate["case"])],
        "predicateType": PREDICATE,
        "predicate": predicate,
    }
    return json.dumps(statement, separators=(",", ":")).encode()


def read_payload(payload: bytes) -> dict[str, Any]:
    """The predicate of a statement. Raises `Malformed` for a statement that is none of ours."""
    try:
        statement = json.loads(payload)
        predicate = statement["predicate"]
        about = statement["subject"]
        kinds = (statement["_type"], statement["predicateType"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Malformed("its payload is not a statement") from error
    if kinds != (STATEMENT, PREDICATE) or not isinstance(predicate, dict):
        raise Malformed("its payload is not a custody statement")
    for name in _TEXTS:
        if not isinstance(predicate.get(name), str):
            raise Malformed(f"its statement lacks {name!r}")
    for name in ("sequence", "previous"):
        if type(predicate.get(name)) is not int:
            raise Malformed(f"its statement lacks {name!r}")
    time, details = predicate.get("time"), predicate.get("details")
    if not isinstance(time, str) or not TIME.fullmatch(time):
        raise Malformed("its statement has no time")
    if not isinstance(details, dict) or not all(isinstance(one, str) for one in details.values()):
        raise Malformed("its statement lacks 'details'")
    if about != [subject(predicate["evidence"], predicate["case"])]:
        raise Malformed("its subject is not what its predicate is about")
    return predicate
