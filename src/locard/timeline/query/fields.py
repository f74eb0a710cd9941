# SPDX-License-Identifier: Apache-2.0
"""The names that a query can use before a colon, and what was meant by one that it cannot."""

import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address

from locard.model.errors import BadQuery
from locard.model.event import QUERY_FIELDS, Kind
from locard.timeline import schema

MARKS = ("tag", "starred", "comment")
FIELDS: tuple[str, ...] = tuple(dict.fromkeys((*QUERY_FIELDS, *schema.NAMES, *MARKS)))
"""Every field that a query can name, those that documentation shows first at the front."""

_ELSEWHERE = {
    "time": "timestamp @timestamp datetime date eventtime event_time starttime timegenerated",
    "time_meaning": "timestamp_desc",
    "source": "parser data_type sourcetype source_type log index event.dataset event.module",
    "provider": "cloud cloud.provider vendor",
    "account": "account_id accountid recipientaccountid cloud.account.id subscription project",
    "region": "awsregion aws_region cloud.region location zone",
    "host": "hostname host.name computer computername device machine instance instance_id",
    "actor": "user username user_name user.name useridentity useridentity.arn useridentity.username"
    " arn principal subject identity account_name caller who email",
    "actor_kind": "useridentity.type user_type",
    "session": "accesskeyid access_key useridentity.accesskeyid session_id sessionid credential",
    "action": "eventname event_name event event.action operation operationname activity methodname"
    " api verb what command",
    "outcome": "result status event.outcome success",
    "error": "errorcode error_code error.code",
    "resource": "object target resources bucket bucketname resource_id",
    "src_ip": "ip srcip src source_ip sourceip sourceipaddress source_ip_address source.ip"
    " source.address client.ip clientip client_ip ip_address ipaddress address remote_ip srcaddr",
    "dst_ip": "dst dstip dest dest_ip destination destination_ip destination.ip server.ip dstaddr",
    "src_port": "srcport source_port source.port sport",
    "dst_port": "port dstport dest_port destination_port destination.port dport",
    "process": "process.name process_name image exe comm",
    "file": "filename file.name file.path path filepath file_path",
    "hash": "sha256 sha1 md5 file.hash file.hash.sha256",
    "domain": "eventsource event_source dns hostname.domain query service dns.question.name",
    "url": "uri url.full request link",
    "message": "msg text description summary",
    "raw": "_source _raw event.original original line xml json",
    "tag": "tags label labels __ts_emojis",
    "starred": "star __ts_star",
    "comment": "comments note notes __ts_comment",
    "id": "_id event.id uuid",
    "evidence": "sha file_id evidence_id",
    "attributes.userAgent": "useragent user_agent user_agent.original ua agent",
}  # fmt: skip
"""Names of CloudTrail, ECS, Splunk, Timesketch and people for our fields, in small letters."""
_MEANT = {name: ours for ours, names in _ELSEWHERE.items() for name in names.split()}

_WHOLE = re.compile(r"[A-Za-z][\w+.-]*://|[A-Za-z]:\\|arn:")
"""How text begins that has a colon and is often pasted into a query as it is."""


@dataclass(frozen=True)
class Field:
    """A field that a query names."""

    name: str
    kind: Kind | None
    """None for an attribute, a mark, or `_exists_`."""
    sql: str = ""
    attribute: str = ""


def resolve(name: str, position: int, length: int, bind: Callable[[str], str]) -> Field:
    """The field of a name; `bind` gives the placeholder of a value.

    Raises `BadQuery` that suggests the field that was probably meant.
    """
    if name in schema.KINDS:
        return Field(name, schema.KINDS[name], f"`{name}`")
    if name in MARKS:
        return Field(name, None)
    if name.startswith("attributes.") and len(name) > len("attributes."):
        attribute = name.removeprefix("attributes.")
        return Field(name, None, f"attributes[{bind(attribute)}]", attribute)
    raise BadQuery(
        f"There is no field {name[:80]!r}; text with a colon stands in quotes.",
        position, length, meant(name),
    )  # fmt: skip


def unquoted(typed: str) -> str:
    """In quotes, what is an address of the web, of AWS or of a network, or a path of Windows.

    Empty for all else: what stands before its colon is a field.
    """
    if not _WHOLE.match(typed):
        try:
            ip_address(typed)
        except ValueError:
            return ""
    text = typed if "\\\\" in typed else typed.replace("\\", "\\\\")
    return f'"{text}"'


def meant(name: str) -> str:
    """The field that a name probably stands for; empty when none is near."""
    small = name.lower()
    if small in FIELDS:
        return small
    if small in _MEANT:
        return _MEANT[small]
    near = difflib.get_close_matches(small, [*FIELDS, *_MEANT], 1, 0.75)
    if near:
        return _MEANT.get(near[0], near[0])
    return f"attributes.{name}" if name.isidentifier() else ""
