# SPDX-License-Identifier: Apache-2.0
"""VPC flow logs in whatever carried them."""

import datetime
import decimal
import io
import json
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.contracts.golden import read
from tests.parsers.test_aws import compact, parser_of

FLOWS = [
    "2 111122223333 eni-1 198.51.100.7 10.0.0.5 4022 22 6 10 840 1709632800 1709632860 ACCEPT OK",
    "2 111122223333 eni-1 2001:db8::7 2001:db8::5 4023 22 6 1 40 1709632801 1709632861 REJECT OK",
    "2 111122223333 eni-1 - - - - - - - 1709632860 1709632920 - NODATA",
]
FLOW_NAMES = (
    "version account_id interface_id srcaddr dstaddr srcport dstport protocol packets bytes start "
    "end action log_status"
)
ATHENA_NAMES = (
    "version account interfaceid sourceaddress destinationaddress sourceport destinationport "
    "protocol numpackets numbytes starttime endtime action logstatus"
)


def flow_table(names: str) -> bytes:
    return "\n".join(line.replace(" ", ",") for line in (names, *FLOWS)).encode()


def flow_objects(names: str) -> list[dict[str, str]]:
    return [dict(zip(names.split(), line.split(), strict=True)) for line in FLOWS]


def parquet(names: str) -> bytes:
    columns = zip(*(line.split() for line in FLOWS), strict=True)
    table = pa.table(
        {name: list(values) for name, values in zip(names.split(), columns, strict=True)}
    )
    out = io.BytesIO()
    pq.write_table(table, out)
    return out.getvalue()


CARRIED = {
    "filter-log-events": json.dumps(
        {"events": [{"timestamp": 1, "message": line} for line in FLOWS], "searchedLogStreams": []},
        indent=1,
    ).encode(),
    "subscription": compact({
        "messageType": "DATA_MESSAGE", "subscriptionFilters": ["f"],
        "logEvents": [{"id": "1", "message": line} for line in FLOWS],
    }),
    "console": b"timestamp,message\n" + "".join(f"1,{line}\n" for line in FLOWS).encode(),
    "tail": "".join(f"2024-03-05T10:00:00+00:00 eni-1-all {line}\n" for line in FLOWS).encode(),
    "Splunk": b"_time,_raw\n" + "".join(f'"x","{line}"\n' for line in FLOWS).encode(),
    "Athena": flow_table(ATHENA_NAMES),
    "pandas": flow_table(FLOW_NAMES).replace(b",22,", b",22.0,").replace(b",-", b","),
    "table": flow_table(FLOW_NAMES.replace("_", "-")),
    "JSON lines": b"\n".join(compact(flow) for flow in flow_objects(FLOW_NAMES)),
    "pandas as JSON lines": b"\n".join(
        compact({**flow, "srcport": 4022.0 + n, "dstport": 22.0} if n < 2 else flow)
        for n, flow in enumerate(flow_objects(FLOW_NAMES))
    ),
    "Athena as Parquet": parquet(ATHENA_NAMES),
    "Parquet in capitals": parquet(FLOW_NAMES.upper()),
    "OpenSearch": compact([{"aws": {"vpc": flow}} for flow in flow_objects(FLOW_NAMES)]),
    "a header as it is configured": (
        " ".join(f"${{{name}}}" for name in FLOW_NAMES.replace("_", "-").split())
        + "\n" + "\n".join(FLOWS)
    ).encode(),
}  # fmt: skip


@pytest.mark.parametrize("data", CARRIED.values(), ids=CARRIED.keys())
def test_whatever_carried_the_flows_they_read_the_same(data: bytes) -> None:
    plain = read("aws.vpcflow", "\n".join(FLOWS).encode())
    found = read("aws.vpcflow", data)
    columns = ("time", "account", "src_ip", "src_port", "dst_ip", "dst_port", "action", "resource")
    assert [[row[c] for c in columns] for row in found.rows] == [
        [row[c] for c in columns] for row in plain.rows
    ]
    assert found.problems == 0
    assert parser_of(data) == "aws.vpcflow"
    for row in found.rows:
        assert read("aws.vpcflow", data, only=row["locator"]).rows == [row]


def test_a_second_header_names_the_fields_below_it() -> None:
    data = f"{FLOW_NAMES}\n{FLOWS[0]}\nstart end srcaddr dstaddr\n1709632800 - 1.1.1.1 2.2.2.2\n"
    found = read("aws.vpcflow", data.encode())
    assert [row["src_ip"] for row in found.rows] == ["198.51.100.7", "1.1.1.1"]
    assert found.problems == 0
    assert read("aws.vpcflow", data.encode(), only=found.rows[1]["locator"]).rows == found.rows[1:]


def test_flows_through_a_transit_gateway() -> None:
    data = (
        b"version resource-type account-id tgw-id tgw-attachment-id tgw-src-vpc-id tgw-dst-vpc-id "
        b"srcaddr dstaddr srcport dstport start end log-status packets-lost-no-route\n"
        b"6 TransitGateway 111122223333 tgw-1 tgw-attach-1 vpc-1 vpc-2 10.0.0.1 10.1.0.1 1 2 "
        b"1709632800 1709632860 OK 0\n"
    )
    (row,) = read("aws.vpcflow", data).rows
    assert (row["resource"], row["src_ip"], row["problem"]) == ("tgw-attach-1", "10.0.0.1", "")
    assert parser_of(data) == "aws.vpcflow"


TRANSITS = [
    "6 TransitGateway 111122223333 tgw-1 tgw-attach-1 444455556666 777788889999 vpc-1 vpc-2 sn-1 "
    "sn-2 eni-1 eni-2 use1-az1 use1-az2 tgw-attach-2 10.0.0.1 10.1.0.1 50000 443 6 5 840 "
    "1709632800 1709632860 OK IPv4 0 2 0 0 2 us-east-1 ingress - -",
    "6 TransitGateway 111122223333 tgw-1 tgw-attach-1 "
    + "- " * 18
    + "1709632800 1709632860 NODATA "
    "- - - - - - us-east-1 - - -",
]


@pytest.mark.parametrize(
    "data",
    [
        "\n".join(TRANSITS),
        "\n".join(f"2024-03-05T10:00:00.000Z {line}" for line in TRANSITS),
        "\n".join(f"2024-03-05T10:00:00.000Z tgw-stream {line}" for line in TRANSITS),
        json.dumps({"events": [{"timestamp": 1, "message": line} for line in TRANSITS]}),
    ],
    ids=["text", "export", "export with streams", "filter-log-events"],
)
def test_a_transit_gateway_s_default_format_has_no_header_in_cloudwatch(data: str) -> None:
    assert parser_of(data.encode()) == "aws.vpcflow"
    found = read("aws.vpcflow", data.encode())
    assert [(row["time"], row["region"], row["resource"]) for row in found.rows] == [
        (1_709_632_800_000_000_000, "us-east-1", "tgw-attach-1")
    ] * 2
    assert [row["message"] for row in found.rows] == [
        "tcp 10.0.0.1:50000 → 10.1.0.1:443, 840 bytes",
        "NODATA tgw-attach-1",
    ]
    assert dict(found.rows[0]["attributes"])["packets-lost-blackhole"] == "2"
    assert found.problems == 0
    for row in found.rows:
        assert read("aws.vpcflow", data.encode(), only=row["locator"]).rows == [row]


@pytest.mark.parametrize(
    ("data", "time", "meaning"),
    [
        ("srcaddr dstaddr start end\n1.1.1.1 2.2.2.2 1709632800 5\n", 1709632800, "start"),
        ("srcaddr dstaddr end\n1.1.1.1 2.2.2.2 1709632800\n", 1709632800, "end"),
        ("srcaddr dstaddr start\n1.1.1.1 2.2.2.2 -\n", None, "start"),
        (
            "@timestamp,srcAddr,dstAddr,srcPort,dstPort,action\n"
            "2024-03-05 10:00:00.000,1.1.1.1,2.2.2.2,1,2,ACCEPT\n",
            1709632800,
            "logged",
        ),
        (
            '{"timestamp":1709632800000,"srcaddr":"1.1.1.1","dstaddr":"2.2.2.2","action":"ACCEPT",'
            '"start":"-","bytes":"1"}\n',
            1709632800,
            "logged",
        ),
    ],
)
def test_what_the_time_is_and_when_there_is_none(data: str, time: int | None, meaning: str) -> None:
    (row,) = read("aws.vpcflow", data.encode()).rows
    assert row["time"] == (None if time is None else time * 10**9)
    assert row["problem"] == ("the record has no start" if time is None else "")
    assert row["time_meaning"] == meaning


def test_a_message_says_what_is_there_alone() -> None:
    data = "srcaddr start action\n1.1.1.1 5 -\n- 5 ACCEPT\n- 5 -\n1.1.1.1 5 REJECT\n"
    found = read("aws.vpcflow", data.encode())
    assert [row["message"] for row in found.rows] == ["1.1.1.1", "ACCEPT", "", "REJECT 1.1.1.1"]


def test_an_address_that_is_none_is_a_problem() -> None:
    (row,) = read("aws.vpcflow", FLOWS[0].replace("10.0.0.5", "10.0.0.555").encode()).rows
    assert row["problem"] == "dstaddr '10.0.0.555' is no address"


def flow_parquet(*more: tuple[str, Any]) -> bytes:
    fields = dict(
        zip(FLOW_NAMES.split(), zip(*map(str.split, FLOWS[:2]), strict=True), strict=True)
    )
    columns = [(name, pa.array(values)) for name, values in fields.items()]
    changed = {name for name, _ in more[:1]}
    columns = [one for one in columns if one[0] not in changed]
    columns += [(name, pa.array(values)) for name, values in more]
    out = io.BytesIO()
    table = pa.Table.from_arrays([values for _, values in columns], [name for name, _ in columns])
    pq.write_table(table, out, version="2.6")
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "values", "shown"),
    [
        ("start", pa.array([1709632800_123456789, 5], pa.timestamp("ns", "Mars/Phobos")), None),
        ("start", pa.array([1709632800_123, 5], pa.timestamp("ms")), None),
        ("srcaddr", pa.array([b"198.51.100.7", b"\xff\xfe"]), None),
        ("x", pa.array([decimal.Decimal("1.50"), None], pa.decimal128(38, 2)), "1.50"),
        ("x", pa.array([[{"t": 1}], []], pa.list_(pa.struct([("t", pa.time64("ns"))]))), "t"),
        ("x", pa.array([1, 2], pa.duration("ns")), "1"),
        ("x", pa.array([datetime.date(2024, 1, 2), None]), "2024-01-02"),
        ("x", pa.array(["a", "b"]).dictionary_encode(), "a"),
        ("srcaddr", pa.array(["198.51.100.7", "a"]).dictionary_encode(), None),
    ],
    ids=str,
)
def test_columns_of_parquet_may_have_any_type(name: str, values: Any, shown: str | None) -> None:
    data = flow_parquet((name, values))
    found = read("aws.vpcflow", data)
    assert [row["dst_port"] for row in found.rows] == [22, 22]
    first = found.rows[0]
    assert (first["time"], first["src_ip"], first["problem"]) == (
        1_709_632_800_000_000_000, "198.51.100.7", "",
    )  # fmt: skip
    assert set(json.loads(first["raw"])) >= {name, *FLOW_NAMES.split()}
    if shown is not None:
        assert shown in dict(first["attributes"])["x"]
    for row in found.rows:
        assert read("aws.vpcflow", data, only=row["locator"]).rows == [row]


def test_numbers_that_a_table_held_as_fractions_keep_their_digits() -> None:
    """pandas keeps a column of whole numbers as fractions when a record such as NODATA has none."""
    row, _ = read("aws.vpcflow", flow_parquet(("bytes", [4e12, None]))).rows
    assert dict(row["attributes"])["bytes"] == "4000000000000"
    row, _ = read("aws.vpcflow", flow_parquet(("account_id", [11122223333.0, None]))).rows
    assert row["account"] == "011122223333"


def test_two_columns_of_parquet_with_one_name_are_both_kept() -> None:
    data = flow_parquet(("x", ["a", "b"]), ("x", ["c", "d"]))
    (row, _) = read("aws.vpcflow", data).rows
    assert {"a", "c"} <= set(dict(row["attributes"]).values())


def test_a_nul_byte_in_a_flow_is_said() -> None:
    (row,) = read("aws.vpcflow", FLOWS[0].encode() + b"\0").rows
    assert "NUL" in row["problem"]
