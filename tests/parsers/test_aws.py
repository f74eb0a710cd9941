# SPDX-License-Identifier: Apache-2.0
"""CloudTrail, its digests and VPC flow logs: identity, damage, and real evidence."""

import gzip
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from locard.parsers.aws.cloudtrail import exports, parse
from locard.parsers.aws.cloudtrail.parts import Memory
from locard.parsers.catalogue import load
from locard.parsers.contract import Head, Limits
from locard.parsers.opened import Evidence
from locard.parsers.recognise import Recogniser
from locard.parsers.strict_json import BadRecord
from tests.cases.trails import record
from tests.contracts.golden import read

SAMPLES = load().get("aws.cloudtrail").folder / "samples"
TRAIL = json.loads((SAMPLES / "s3.json").read_bytes())["Records"]


def compact(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def ids(name_or_data: str | bytes) -> list[str]:
    data = (SAMPLES / name_or_data).read_bytes() if isinstance(name_or_data, str) else name_or_data
    return [row["id"] for row in read("aws.cloudtrail", data).rows]


FIRST_TWO = ids("s3.json")[:2]


@pytest.mark.parametrize(
    "name",
    ["s3.json.gz", "list_pretty.json", "eventbridge.jsonl", "cloudwatch.json", "splunk_raw.csv"],
)
def test_the_same_record_is_the_same_event_in_every_wrapping(name: str) -> None:
    assert ids(name) == FIRST_TWO


def test_lookups_and_lake_hold_the_same_events_too() -> None:
    assert ids("lookup_events.json") == [ids("s3.json")[0], ids("s3.json")[4]]
    assert ids("lake_results.json")[:2] == FIRST_TWO


@pytest.mark.parametrize(
    "data",
    [
        json.dumps(TRAIL[:2], sort_keys=True, indent=3).encode(),
        b"\xef\xbb\xbf" + compact({"Records": TRAIL[:2]}),
        json.dumps({"Records": TRAIL[:2]}, ensure_ascii=True).encode(),
        compact(TRAIL[0]) + b"\r\n\r\n" + compact(TRAIL[1]),
        compact({"Records": TRAIL[:1]}) + b"\n" + compact({"Records": TRAIL[1:2]}) + b"\n",
        compact({"Records": TRAIL[:1], "Other": 1}) + compact({"Records": TRAIL[1:2]}),
        gzip.compress(compact(TRAIL[0]) + b"\n") + gzip.compress(compact(TRAIL[1])),
    ],
)
def test_neither_order_of_keys_nor_blanks_nor_escapes_make_another_event(data: bytes) -> None:
    found = read("aws.cloudtrail", data)
    assert [row["id"] for row in found.rows] == FIRST_TWO
    assert found.problems == 0


ODD: tuple[Callable[[bytes], bytes], ...] = (
    lambda raw: raw,
    lambda raw: raw.replace(b'{"', b'{"eventVersion":"1.0","', 1),
    lambda raw: raw[:-1] + b',"newField":{"b":1,"a":2}}',
    lambda raw: raw[:-1] + b',"addendum":{"b":1,"a":2,"b":3}}',
    lambda raw: raw[:-1] + b',"insightDetails":{"x": 1e5}}',
    lambda raw: raw.replace(b'"awsRegion":"', b'"awsRegion":7,"was":"'),
    lambda raw: raw.replace(b'"eventTime":"20', b'"eventTime":"16'),
    lambda raw: raw.replace(b'"userAgent":"', b'"userAgent":"\xc3\xa9\\u00e9'),
    lambda raw: raw.replace(b'"userAgent":"', b'"userAgent":"\xff'),
    lambda raw: b"{}",
)


def test_a_record_among_many_is_read_as_it_is_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    raws = [make(compact(record)) for make in ODD for record in TRAIL]
    with monkeypatch.context() as patch:
        patch.setattr(parse, "elements", None)  # what S3 delivers needs no cutter
        together = read("aws.cloudtrail", b'{"Records":[' + b",".join(raws) + b"]}").rows
    assert [row["raw"] for row in together] == raws
    for raw, row in zip(raws, together, strict=True):
        (alone,) = read("aws.cloudtrail", raw).rows
        places = {"locator", "evidence", *(("id",) if row["problem"] else ())}
        assert {n: v for n, v in row.items() if n not in places} == {
            n: v for n, v in alone.items() if n not in places
        }


def parser_of(data: bytes) -> str:
    with TemporaryFile() as file:
        file.write(data)
        file.flush()
        head = Evidence(file.fileno(), len(data), "sample", Limits()).head
    return Recogniser(load()).judge(head).told.parser


def in_lines(wrap: Callable[[dict[str, Any]], object]) -> bytes:
    return b"\n".join(compact(wrap(record)) for record in TRAIL[:2])


def notification(record: dict[str, Any]) -> dict[str, Any]:
    return {"Type": "Notification", "Message": compact(record).decode()}


def delivered(record: dict[str, Any]) -> dict[str, Any]:
    return {"version": "0", "detail-type": "AWS API Call via CloudTrail", "detail": record}


def message(record: dict[str, Any]) -> dict[str, Any]:
    return {"MessageId": "1", "Body": compact(notification(delivered(record))).decode()}


def lookup(record: dict[str, Any]) -> dict[str, Any]:
    return {"EventName": record["eventName"], "CloudTrailEvent": compact(record).decode()}


STAMP = b"2024-03-05T10:00:01.000Z "
WRAPPED = {
    "SNS": in_lines(notification),
    "SQS around SNS around EventBridge": compact({"Messages": [message(r) for r in TRAIL[:2]]}),
    "SQS as Lambda gets it": compact({"Records": [
        {"eventSource": "aws:sqs", "body": compact(r).decode()} for r in TRAIL[:2]
    ]}),
    "pages of lookups in a list": compact([{"Events": [lookup(r)]} for r in TRAIL[:2]]),
    "export of CloudWatch Logs": b"".join(STAMP + compact(r) + b"\n" for r in TRAIL[:2]),
    "aws logs tail": b"".join(STAMP + b"stream_1 " + compact(r) + b"\n" for r in TRAIL[:2]),
    "Logs Insights": json.dumps({"results": [
        [{"field": "@message", "value": compact(r).decode()}, {"field": "@ptr", "value": "x"}]
        for r in TRAIL[:2]
    ]}, indent=2).encode(),
    "OpenSearch": compact({"took": 1, "hits": {"total": 2, "hits": [
        {"_id": "1", "_source": r} for r in TRAIL[:2]
    ]}}),
    "OpenSearch, with the record as a text": compact({"took": 1, "hits": {"total": 2, "hits": [
        {"_id": "1", "_source": {"event": {"original": compact(r).decode()}}} for r in TRAIL[:2]
    ]}}),
    "Elastic": in_lines(lambda r: {"event": {"original": compact(r).decode()}}),
    "one column": b"eventJson\n" + b"".join(
        b'"%s"\n' % compact(r).replace(b'"', b'""') for r in TRAIL[:2]
    ),
    "UTF-16": in_lines(lambda r: r).decode().encode("utf-16"),
    "UTF-16, most significant byte first": b"\xfe\xff" + json.dumps(TRAIL[:2], indent=1).encode(
        "utf-16-be"
    ),
}  # fmt: skip


@pytest.mark.parametrize("data", WRAPPED.values(), ids=WRAPPED.keys())
def test_whatever_carried_the_record_it_is_the_same_event(data: bytes) -> None:
    found = read("aws.cloudtrail", data)
    assert [row["id"] for row in found.rows] == FIRST_TWO
    assert found.problems == 0
    assert parser_of(data) == "aws.cloudtrail"
    for row in found.rows:
        assert read("aws.cloudtrail", data, only=row["locator"]).rows == [row]


def test_few_columns_of_lake_and_athena_are_enough() -> None:
    row = [{"eventTime": "2024-03-05 10:00:00.000"}, {"eventName": "StopLogging"}, {"arn": "a"}]
    lake = compact({"QueryStatus": "FINISHED", "QueryResultRows": [row]})
    athena = (
        b"eventtime,eventname,useridentity.arn,sourceipaddress\n"
        b"2024-03-05T10:00:00Z,StopLogging,arn:aws:iam::1:root,198.51.100.7\n"
    )
    for data in (lake, athena):
        assert parser_of(data) == "aws.cloudtrail"
        (only,) = read("aws.cloudtrail", data).rows
        assert (only["action"], only["problem"]) == ("StopLogging", "")


def test_the_console_writes_times_with_a_zone() -> None:
    data = (
        b"Event name,Event time,User name,Event source,Resource type,Resource name\n"
        b'StopLogging,"March 05, 2024, 12:00:00 (UTC+02:00)",eve,cloudtrail.amazonaws.com,-,-\n'
    )
    (row,) = read("aws.cloudtrail", data).rows
    assert (row["time"], row["actor"], row["problem"]) == (1_709_632_800_000_000_000, "eve", "")


@settings(max_examples=200, deadline=None)
@given(
    cut=st.integers(1, 2000),
    which=st.integers(0, 19),
    form=st.sampled_from(['{"Records":[%s]}', "[%s]"]),
    between=st.sampled_from([",", ",\n"]),
)
def test_a_record_cut_off_inside_costs_itself_alone(
    cut: int, which: int, form: str, between: str
) -> None:
    records = [
        {**TRAIL[n % 2], "eventID": str(n), "requestParameters": {"key": 'a/{b}]},["c'}}
        for n in range(20)
    ]
    texts = [compact(record).decode() for record in records]
    texts[which] = texts[which][: min(cut, len(texts[which]) - 1)]
    rows = read("aws.cloudtrail", (form % between.join(texts)).encode()).rows
    good = {dict(row["attributes"]).get("eventID") for row in rows if not row["problem"]}
    assert good == {str(n) for n in range(20)} - {str(which)}
    assert any(row["problem"] for row in rows)


@pytest.mark.parametrize(
    "change",
    [
        {"eventName": "StartLogging"},
        {"sourceIPAddress": "198.51.100.8"},
        {"errorMessage": "another"},
        {"requestParameters": {"name": "other-trail"}},
        {"userIdentity": {**TRAIL[0]["userIdentity"], "userName": "mallory"}},
        {"tlsDetails": {"tlsVersion": "TLSv1.3"}},
        {"somethingNew": 1},
        {"readOnly": True},
    ],
)
def test_a_forged_record_with_the_same_event_id_is_another_event(change: dict[str, Any]) -> None:
    assert ids(compact([TRAIL[0] | change]))[0] not in FIRST_TWO


def test_whatever_is_no_record_is_proved_as_what_it_was_said_to_be() -> None:
    data = b'{"Records":[1,"x",null,true,[],[[1]],{},' + compact(TRAIL[0]) + b"]}"
    rows = read("aws.cloudtrail", data).rows
    assert len(rows) == 8
    for row in rows:
        assert read("aws.cloudtrail", data, only=row["locator"]).rows == [row]


def test_two_records_on_one_line_are_two_events() -> None:
    one, other = compact(TRAIL[0]), compact(TRAIL[1])
    data = one + b"\n" + one + other + b"\n" + other + b"\n"
    found = read("aws.cloudtrail", data)
    assert [row["id"] for row in found.rows] == [FIRST_TWO[0], *FIRST_TWO, FIRST_TWO[1]]
    assert found.problems == 0


def test_values_that_change_places_are_another_event() -> None:
    one = ids(compact([TRAIL[0] | {"requestParameters": {"a": "x", "b": "y"}}]))
    other = ids(compact([TRAIL[0] | {"requestParameters": {"a": "y", "b": "x"}}]))
    assert one != other


def test_two_lists_of_records_in_one_document_are_both_read() -> None:
    data = b'{"Records":[%s],"Records":[%s]}' % (compact(TRAIL[0]), compact(TRAIL[1]))
    assert ids(data) == FIRST_TWO


def test_raw_is_exact_and_the_digest_is_of_the_uncompressed_log() -> None:
    data = compact({"Records": TRAIL})
    found = read("aws.cloudtrail", gzip.compress(data))
    assert [row["raw"] for row in found.rows] == [compact(record) for record in TRAIL]
    assert found.facts["decoded_sha256"] == hashlib.sha256(data).hexdigest()
    pretty = json.dumps(TRAIL, indent=2).encode()
    facts = read("aws.cloudtrail", gzip.compress(pretty)).facts
    assert facts["decoded_sha256"] == hashlib.sha256(pretty).hexdigest()


@pytest.mark.parametrize("cut", [1, 100, 500])
def test_a_truncated_gzip_keeps_what_it_gives(cut: int) -> None:
    whole = gzip.compress(compact({"Records": TRAIL * 40}), 1)
    found = read("aws.cloudtrail", whole[: len(whole) - 8 - cut])
    good = [row for row in found.rows if not row["problem"]]
    assert len(good) > 100
    assert found.rows[-1]["problem"]
    assert "decoded_sha256" not in found.facts


def test_a_document_too_large_for_memory_gives_the_same_rows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = compact({"Records": TRAIL * 20})
    whole = read("aws.cloudtrail", data)
    monkeypatch.setattr(parse, "_WHOLE", 1000)
    assert read("aws.cloudtrail", data).rows == whole.rows


def test_a_record_longer_than_the_limit_is_a_problem_row() -> None:
    long = TRAIL[1] | {"requestParameters": {"x": "y" * 200_000}}
    data = compact({"Records": [TRAIL[0], long, TRAIL[2]]})
    found = read("aws.cloudtrail", data, limits=Limits(record_bytes=100_000))
    assert [bool(row["problem"]) for row in found.rows] == [False, True, False]
    assert len(found.rows[1]["raw"]) == 64 << 10
    assert f"{len(compact(long)):,}" in found.rows[1]["problem"]


def test_an_empty_list_has_no_rows() -> None:
    assert read("aws.cloudtrail", b'{"Records":[]}').seen == 0


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{type=IAMUser, arn=a:b}", {"type": "IAMUser", "arn": "a:b"}),
        ("{a={b=c, d=null}, e=[{f=g}]}", {"a": {"b": "c"}, "e": [{"f": "g"}]}),
        ("{a=one, two, b=three}", {"a": "one, two", "b": "three"}),
        ('{"a": 1}', {"a": 1}),
        ("{broken", "{broken"),
        ("[}", "[}"),
        ("{a=[x}, b}", "{a=[x}, b}"),
        ("{a=" * 50, "{a=" * 50),
    ],
)
def test_structures_as_athena_prints_them(text: str, value: object) -> None:
    assert exports._object(text) == value


def test_a_list_is_no_record() -> None:
    with pytest.raises(BadRecord):
        exports.unwrap(b"[1,2]", Memory())


def test_other_json_is_not_claimed() -> None:
    for data in (b'{"a":1}', b"[]", b"", b"Records", b'{"Records":[{"s3":{"bucket":1}}]}'):
        assert parse.recognise(Head(data, data, len(data), "x")).score == 0


def recognised(data: bytes) -> str:
    head = Head(data[:65_536], data[-4096:], len(data), "sample")
    return Recogniser(load()).judge(head).told.parser


def test_names_of_a_digest_in_a_record_do_not_make_its_log_one() -> None:
    """Whoever may tag a thing may write them into CloudTrail."""
    tagged = record(1) | {"requestParameters": {"digestS3Bucket": "b", "digestEndTime": "x"}}
    tagged = {"userIdentity": {"digestS3Bucket": "b"}} | tagged
    for data in (
        json.dumps({"Records": [tagged, record(2)]}),
        f"{json.dumps(tagged)}\n{json.dumps(record(2))}\n",
        json.dumps([tagged, record(2)], indent=1),
    ):
        assert recognised(data.encode()) == "aws.cloudtrail"
    digest = {"awsAccountId": "1", "digestEndTime": "x", "digestS3Bucket": "b", "logFiles": []}
    for text in (json.dumps(digest), json.dumps(digest, indent=2), "\ufeff" + json.dumps(digest)):
        assert recognised(text.encode()) == "aws.cloudtrail_digest"
    assert recognised(b'D = {"digestEndTime": 1, "digestS3Bucket": 2}') != "aws.cloudtrail_digest"


def test_a_digest_lists_the_logs_that_it_vouches_for() -> None:
    source = load().get("aws.cloudtrail_digest")
    found = read(source, (source.folder / "samples" / "digest.json").read_bytes())
    (log,) = json.loads(found.facts["logs"])
    assert log["object"].endswith("_20240305T1005Z_aaaaaaaaaaaaaaaa.json.gz")
    assert len(log["sha256"]) == 64
    damaged = read(source, b'{"digestS3Bucket":"b","digestEndTime":"x","logFiles":[1]}')
    assert "digestEndTime" in damaged.rows[0]["problem"]
    assert "logFiles" in damaged.rows[0]["problem"]


def test_flows_of_a_format_without_times_have_none() -> None:
    found = read("aws.vpcflow", b"srcaddr dstaddr action\n1.1.1.1 2.2.2.2 ACCEPT\n")
    assert found.rows[0]["time"] is None
    assert found.rows[0]["problem"] == ""
    assert found.rows[0]["src_ip"] == "1.1.1.1"


def test_flow_lines_that_are_damaged_are_rows_with_their_text() -> None:
    good = b"2 111122223333 eni-1 1.1.1.1 2.2.2.2 1 2 6 1 1 1709632800 1709632860 ACCEPT OK"
    found = read("aws.vpcflow", good + b"\n\xff\xfe\n" + good.replace(b"1.1.1.1", b"1.1.1.\x00"))
    assert [row["raw"] for row in found.rows if row["problem"]] == [
        b"\xff\xfe",
        good.replace(b"1.1.1.1", b"1.1.1.\x00"),
    ]
    assert found.seen == 3


def test_parquet_cut_short_is_a_problem_row() -> None:
    data = (load().get("aws.vpcflow").folder / "samples" / "flow.parquet").read_bytes()
    found = read("aws.vpcflow", data[:-30])
    assert [row["problem"][:31] for row in found.rows] == ["Parquet cannot be read further:"]


@pytest.mark.evidence
def test_the_invictus_trail_has_2900_events_and_no_problem(evidence: Path) -> None:
    files = sorted((evidence / "aws_cloudtrail/invictus-ir_aws_dataset/CloudTrail").glob("*.json"))
    found = [read("aws.cloudtrail", path.read_bytes()) for path in files]
    assert len(files) == 55
    assert sum(one.seen for one in found) == 2900
    assert sum(one.problems for one in found) == 0
    assert len({row["id"] for one in found for row in one.rows}) == 2900


@pytest.mark.evidence
def test_attack_techniques_are_read_whole(evidence: Path) -> None:
    files = sorted((evidence / "aws_cloudtrail/stratus-red-team/detonation-logs").glob("*.json"))
    assert files
    for path in files:
        found = read("aws.cloudtrail", path.read_bytes())
        assert (found.seen, found.problems) == (len(json.loads(path.read_bytes())), 0)


@pytest.mark.evidence
def test_a_damaged_list_gives_its_840_records(evidence: Path) -> None:
    """Two records of this file hold a bracket too many and one too few."""
    path = evidence / "aws_other_logs/opensearch-catalog/aws_cloudtrail/data/samples-large.json"
    found = read("aws.cloudtrail", path.read_bytes())
    assert sum(1 for row in found.rows if not row["problem"]) == 840


@pytest.mark.evidence
def test_plasos_lookup_events_are_read_whole(evidence: Path) -> None:
    data = (evidence / "disk/plaso/test_data/aws_cloudtrail.jsonl").read_bytes()
    found = read("aws.cloudtrail", data)
    assert (found.seen, found.problems) == (6, 0)


def test_no_more_is_taken_apart_at_once_than_fits_into_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(parse, "_PORTION", 10)
    monkeypatch.setattr(parse, "BATCH", 3)
    raws = [b"x" * length for length in (4, 4, 4, 1, 1, 1, 30, 2, 9)]
    portions = list(parse._portions(raws))
    assert portions == [(0, 2), (2, 5), (5, 6), (6, 7), (7, 8), (8, 9)]
    assert list(parse._portions([])) == []


INSIGHT = {
    "eventVersion": "1.08", "eventTime": "2024-03-05T10:07:00Z", "awsRegion": "us-east-1",
    "eventID": "a", "eventType": "AwsCloudTrailInsight", "recipientAccountId": "111122223333",
    "sharedEventID": "s", "eventCategory": "Insight",
}  # fmt: skip
OF_A_TRAIL = {
    "state": "Start", "eventSource": "iam.amazonaws.com", "eventName": "CreateUser",
    "insightType": "ApiErrorRateInsight", "errorCode": "AccessDenied",
    "insightContext": {"statistics": {"insight": {"average": 9}}},
}  # fmt: skip
OF_A_STORE = {
    "insightSource": "arn:aws:cloudtrail:us-east-1:111122223333:eventdatastore/x",
    "insightState": "Start", "insightEventSource": "iam.amazonaws.com",
    "insightEventName": "CreateUser", "insightType": "ApiErrorRateInsight",
    "insightErrorCode": "AccessDenied", "insightContext": {"insightAverage": 9},
}  # fmt: skip


@pytest.mark.parametrize(
    "data",
    [
        compact({"Records": [INSIGHT | {"insightDetails": OF_A_TRAIL}]}),
        json.dumps(INSIGHT | {"insightDetails": OF_A_TRAIL}, indent=1).encode(),
        compact(INSIGHT | OF_A_STORE),
        compact(
            {"QueryResultRows": [[{name: str(v)} for name, v in (INSIGHT | OF_A_STORE).items()]]}
        ),
        ",".join(INSIGHT | OF_A_STORE).lower().encode()
        + b"\n"
        + ",".join(str(v) for v in (INSIGHT | OF_A_STORE).values()).encode(),
    ],
    ids=["trail", "trail, one record", "store", "query of a store", "table of a store"],
)
def test_an_insight_says_which_call_was_unusual(data: bytes) -> None:
    assert parser_of(data) == "aws.cloudtrail"
    (row,) = read("aws.cloudtrail", data).rows
    assert (row["action"], row["domain"], row["error"], row["outcome"], row["actor"]) == (
        "CreateUser", "iam.amazonaws.com", "AccessDenied", "", "",
    )  # fmt: skip
    assert row["message"] == (
        "ApiErrorRateInsight Start: unusual rate of CreateUser at iam.amazonaws.com: AccessDenied"
    )
    assert row["problem"] == ""
    assert "9" in str(row["attributes"])
    assert read("aws.cloudtrail", data, only=row["locator"]).rows == [row]


def test_a_call_with_details_of_an_insight_stays_a_call() -> None:
    (row,) = read("aws.cloudtrail", compact([TRAIL[0] | {"insightDetails": OF_A_TRAIL}])).rows
    assert row["action"] == TRAIL[0]["eventName"]
    assert "unusual" not in row["message"]


@pytest.mark.parametrize(("used", "mfa"), [("Yes", "true"), ("No", "false"), ("?", None)])
def test_a_sign_in_says_whether_a_second_factor_was_used(used: str, mfa: str | None) -> None:
    more = {"LoginTo": "https://console.aws.amazon.com/", "MFAUsed": used}
    signed = TRAIL[0] | {
        "eventName": "ConsoleLogin", "eventSource": "signin.amazonaws.com",
        "additionalEventData": more, "userIdentity": {"type": "Root", "accountId": "1"},
    }  # fmt: skip
    data = compact({"Records": [signed, TRAIL[1] | {"additionalEventData": more}]})
    first, second = (dict(row["attributes"]) for row in read("aws.cloudtrail", data).rows)
    assert first.get("mfa") == mfa
    assert json.loads(first["additionalEventData"]) == more
    assert "additionalEventData" not in second


def test_who_owns_the_endpoint_of_a_call_through_it() -> None:
    through = TRAIL[0] | {"vpcEndpointId": "vpce-1", "vpcEndpointAccountId": "444455556666"}
    first, second = (
        dict(row["attributes"]) for row in read("aws.cloudtrail", compact([through, TRAIL[1]])).rows
    )
    assert first["vpcEndpointAccountId"] == "444455556666"
    assert "vpcEndpointAccountId" not in second


def test_a_table_of_splunk_without_the_record_has_its_times_names_and_several_values() -> None:
    data = (
        b'"_time",eventName,eventSource,awsRegion,"requestParameters.bucketName",'
        b'"resources{}.ARN","resources{}.type","userIdentity.sessionContext.sessionIssuer.arn"\n'
        b'"2024-03-05T11:00:01.000+0100",GetObject,s3.amazonaws.com,eu-central-1,secret,'
        b'"arn:aws:s3:::secret/a\narn:aws:s3:::secret","AWS::S3::Object\nAWS::S3::Bucket",arn:x\n'
    )
    assert parser_of(data) == "aws.cloudtrail"
    (row,) = read("aws.cloudtrail", data).rows
    assert (row["time"], row["resource"], row["problem"]) == (
        1_709_632_801_000_000_000, "arn:aws:s3:::secret/a", "",
    )  # fmt: skip
    attributes = dict(row["attributes"])
    assert attributes["requestParameters"] == '{"bucketName":"secret"}'
    assert attributes["sessionIssuer"] == "arn:x"


def test_a_looked_up_event_whose_record_is_damaged_is_what_stands_beside_it() -> None:
    event = {
        "EventId": "e", "EventName": "StopLogging", "EventTime": "2024-03-05T10:00:00Z",
        "EventSource": "cloudtrail.amazonaws.com", "Username": "eve", "CloudTrailEvent": "{broken",
    }  # fmt: skip
    (row,) = read("aws.cloudtrail", json.dumps({"Events": [event]}).encode()).rows
    assert (row["action"], row["actor"], row["time"]) == (
        "StopLogging", "eve", 1_709_632_800_000_000_000,
    )  # fmt: skip
    assert row["problem"].startswith("CloudTrailEvent: not valid JSON")
    (row,) = read("aws.cloudtrail", b'{"Events":[{"CloudTrailEvent":"{broken"}]}').rows
    assert row["problem"].startswith("CloudTrailEvent: not valid JSON")


@pytest.mark.parametrize(
    "data",
    [
        compact(TRAIL[:2]) + b"\n" + compact(TRAIL[:1]) + b"\n[]\n",
        compact([TRAIL[:2], TRAIL[:1], []]),
        json.dumps([[TRAIL[:2]], [[TRAIL[0]]]], indent=1).encode(),
        compact([TRAIL[:1], TRAIL[1], TRAIL[0]]),
    ],
    ids=["a list a line", "lists in a list", "deeper", "mixed"],
)
def test_no_record_of_a_list_in_a_list_is_lost(data: bytes) -> None:
    whole = read("aws.cloudtrail", compact({"Records": [TRAIL[0], TRAIL[1], TRAIL[0]]}))
    found = read("aws.cloudtrail", data)
    assert sorted(row["id"] for row in found.rows) == sorted(row["id"] for row in whole.rows)
    assert found.problems == 0
    assert parser_of(data) == "aws.cloudtrail"
    for row in found.rows:
        assert read("aws.cloudtrail", data, only=row["locator"]).rows == [row]


def test_what_is_no_record_in_a_list_of_a_line_is_told() -> None:
    data = compact([TRAIL[0], 5, {"a": 1}]) + b"\n" + compact(TRAIL[0]) + b"\n"
    found = read("aws.cloudtrail", data)
    assert [row["problem"] for row in found.rows] == [
        "", "not a record", "the record has no eventTime", "",
    ]  # fmt: skip


def test_lists_that_are_too_deep_are_told() -> None:
    found = read("aws.cloudtrail", compact([[[[[[TRAIL[:2]]]]]]]) + b"\n" + compact(TRAIL[0]))
    assert found.problems
    told = b"".join(row["raw"] for row in found.rows if row["problem"])
    assert compact(TRAIL[0]) in told


def test_a_list_in_the_list_of_a_trail_is_told_and_proved() -> None:
    data = compact({"Records": [TRAIL[:2], TRAIL[0]]})
    found = read("aws.cloudtrail", data)
    assert found.problems
    for row in found.rows:
        assert read("aws.cloudtrail", data, only=row["locator"]).rows == [row]
