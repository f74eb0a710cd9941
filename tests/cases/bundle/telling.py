# SPDX-License-Identifier: Apache-2.0
"""A case as a bundle tells it, written by hand: all kinds of exhibits and hostile names."""

from hashlib import sha256

from locard.cases.bundle.told import Checked, Checkpoint, Key, Told
from locard.model.custody import (
    Ancestor,
    Authority,
    Clocks,
    CustodyEntry,
    Exhibit,
    Hand,
    Method,
    Operator,
    Request,
    Span,
    Storage,
    Tool,
    Verb,
)

START = 1_790_000_000_000_000_000
MINUTE = 60_000_000_000
ANA = Hand("ana", "command line", "ana@forensic-1", "")
HOSTILE = (
    "\u202eгород \u4e2d\u6587 <script>alert(1)</script> \x1b[31m" + "x" * 300 + "/#let a = 1.log"
)


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def exhibit(number: int, parent: Exhibit | None = None) -> Exhibit:
    """An exhibit of the case `night`; a derived one when `parent` is given."""
    taken = {
        "tool": Tool("Locard", "0.1.0", _digest("code")),
        "operator": Operator("ana", "command line", "ana@forensic-1"),
        "clocks": Clocks("2026-09-21T14:13:20Z", "0.0012", "chrony"),
        "storage": Storage("local", "vault/objects"),
        "time": Span("2026-09-21T14:13:20.000000000Z", "2026-09-21T14:13:21.000000000Z"),
        "hash_point": "as the bytes came in",
        "covers": "every byte that the source gave",
    }
    if parent is not None:
        origin = Ancestor(parent.number, parent.evidence, f"var/log/{number}.log", "unpacked")
        return Exhibit(
            f"NIGHT-{number:04d}",
            "night",
            _digest(str(number)),
            _digest(f"b{number}"),
            size=number * 31,
            derived_from=origin,
            **taken,
        )
    return Exhibit(
        f"NIGHT-{number:04d}",
        "night",
        _digest(str(number)),
        _digest(f"b{number}"),
        size=8 << 30,
        authority=Authority(
            "warrant", "4 Gs 112/26", "Amtsgericht Köln", "2026-09-20", "2026-10-20", "one account"
        ),
        source={"provider": "aws", "account": "111122223333", "resource": "vol-0abc", "größe": "8"},
        method=Method("collect.aws.snapshot", "3", "crash-consistent"),
        requests=(Request("ec2:CreateSnapshots", "7a62c49f", "2026-09-21T14:13:20Z", "200"),),
        changes=("a tag was set on the volume, by the collection itself",),
        **taken,
    )


def told(derived: int = 3, *, simulated: bool = False) -> Told:
    """A case of one acquired image and `derived` files out of it."""
    image = exhibit(1)
    exhibits = [image, *(exhibit(number + 2, image) for number in range(derived))]
    names = {image.evidence: HOSTILE}
    entries: list[CustodyEntry] = []

    def entry(
        verb: Verb, one: Exhibit | None, reason: str, who: Hand = ANA, **details: str
    ) -> None:
        entries.append(
            CustodyEntry(
                sequence=len(entries) + 1,
                time=START + len(entries) * MINUTE,
                actor=who.name,
                verb=verb,
                evidence=one.evidence if one else "",
                case="night",
                reason=reason,
                details=details,
                door=who.door,
                address=who.address,
                agent=who.agent,
            )
        )

    page = Hand("bo", "page", "192.0.2.7", "Mozilla/5.0")
    entry(Verb.AUTHORISED, None, "warrant 4 Gs 112/26")
    entry(Verb.ACQUIRED, image, "added to the case", name=HOSTILE)
    for one in exhibits[1:]:
        names[one.evidence] = f"var/log/{one.number}.log"
        entry(Verb.DERIVED, one, "unpacked", name=names[one.evidence])
        entry(Verb.OPENED, one, "parsed by linux.syslog 3")
    entry(Verb.DOWNLOADED, image, "asked for by the defence", page)
    entry(Verb.TRANSFERRED_OUT, image, "to the state laboratory", page, to="state laboratory")
    entry(Verb.VERIFIED, image, "before the export", sha256=image.evidence)
    return Told(
        case="night",
        title="The night of the 21st",
        created=START,
        created_by="ana",
        simulated=simulated,
        only="",
        prepared=START + 10_000 * MINUTE,
        by=ANA,
        reason="asked for by the court",
        version="0.1.0",
        origin="locard/0123456789abcdef",
        exhibits=exhibits,
        names=names,
        entries=entries,
        keys=[Key("locard/0123456789abcdef", _digest("key"), "the first key of this ledger")],
        checkpoints=[
            Checkpoint(5, "AAAA", "2026-09-21T14:20:00Z", "CN=Time Stamp Authority"),
            Checkpoint(len(entries), "BBBB", gap="the authority did not answer"),
        ],
        verdict=[
            Checked("signatures", "pass", "12 of 12 entries"),
            Checked("time stamps", "not checked", "no root of the authority was given"),
        ],
        references=False,
    )
