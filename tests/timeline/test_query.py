# SPDX-License-Identifier: Apache-2.0
"""The query language: what it finds, where it points at a mistake, and that nothing escapes it."""

import re
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from locard.model.errors import BadQuery
from locard.model.event import COLUMNS
from locard.timeline import Search, Timeline
from locard.timeline.query import times
from locard.timeline.query.fields import FIELDS
from locard.timeline.query.needed import needed
from tests.timeline.rows import EVIDENCE, HOUR, OTHER, START, batch

NOW = START + 30 * HOUR
ROWS = [
    {"action": "GetObject", "actor": "arn:aws:iam::1:user/Alice", "src_ip": "10.1.2.3",
     "message": "Alice read secret-file.txt",
     "raw": b'{"key": "bucket/secret-file.txt", "n": 10.1.2.3}',
     "attributes": [("size", "15"), ("agent.name", "Boto3")], "src_port": 443},
    {"action": "PutObject", "actor": "arn:aws:iam::1:user/Bob", "src_ip": "10.200.0.1",
     "message": "Bob wrote 100%_done", "raw": b'{"note": "100%_done"}', "src_port": 8080,
     "attributes": [("size", "7")]},
    {"action": "ConsoleLogin", "actor": "Mallory", "src_ip": "2001:db8::bad", "error": "Denied",
     "message": "Mallory tried; \xdcbung", "raw": "Übung \"x\" 10.1.2.34 userName".encode()},
    {"time": None, "file": "/usr/bin/ls", "message": "", "raw": b"\xff\x00 cron C:\\Windows"},
]  # fmt: skip


def _marks(kind: str, text: str) -> Collection[str]:
    if kind == "tag" and text == "many":
        return [f"{n:032x}" for n in range(3000)]
    return []


@pytest.fixture(scope="module")
def store(shared: Timeline) -> Iterator[Timeline]:
    rows = [{"time": START + n * HOUR, "locator": f"l{n}", **row} for n, row in enumerate(ROWS)]
    shared.write("case", batch(*rows))
    yield shared


def _found(store: Timeline, query: str, zone: str = "UTC") -> list[int]:
    search = Search("case", query, zone=zone, marks=_marks, now=NOW)
    return sorted(int(r["locator"][1:]) for r in store.page(search).rows)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", [0, 1, 2, 3]),
        ("*", [0, 1, 2, 3]),
        ("alice", [0]),
        ("ALICE", [0]),
        ("alic", []),
        ("alic*", [0]),
        ("action : GetObject", [0]),
        ('action : "GetObject" OR action :PutObject', [0, 1]),
        ("NOT action : (GetObject OR PutObject)", [2, 3]),
        ("src_port: >= 1024", [1]),
        ("src_port:(>=22 AND <500)", [0]),
        ("src_port:(>22 <9000)", [0, 1]),
        ("src_port:(443 OR (>8000 AND < 9000))", [0, 1]),
        ("src_port:(+>=22 -8080)", [0]),
        ("time : (>2000 AND <2100)", [0, 1, 2]),
        ("time:[0001 TO 9999]", [0, 1, 2]),
        ("time:>9999-12-31", []),
        ("NOT ::1 AND alice", [0]),
        ("alice ::1", []),
        (r"secret\u2010file", []),
        ('"\u201csecret\u201d"', []),
        ("alice \u2014", []),
        ("/usr/i OR alice", [0]),
        ("*lic*", [0]),
        ("*lice", [0]),
        ("ali?e", [0]),
        ("secret", [0]),
        ("secret-file.txt", [0]),
        ('"read secret"', [0]),
        ('"secret read"', []),
        ("bucket/secret*", [0]),
        ('"10.1.2.3"', [0]),
        ("10.1.2.34", [2]),
        ("100%_done", [1]),
        ("*%_d*", [1]),
        ("\u00fcbung", [2]),
        ("\u00dcBUNG", [2]),
        ("cron", [3]),
        ("C\\:\\\\Windows", [3]),
        ("alice bob", []),
        ("alice OR bob", [0, 1]),
        ("alice || bob", [0, 1]),
        ("alice AND read", [0]),
        ("alice && read", [0]),
        ("NOT alice", [1, 2, 3]),
        ("!alice", [1, 2, 3]),
        ("! alice", [1, 2, 3]),
        ("alice !", []),
        ("*:*", [0, 1, 2, 3]),
        ("NOT *:*", []),
        ("*:alice", [0]),
        ("action: GetObject", [0]),
        ("time:>= 2023-07-10T01:00:00Z", [1, 2]),
        ("src_ip: (10.1.2.3 OR 10.200.0.1)", [0, 1]),
        ("-alice", [1, 2, 3]),
        ("+alice -bob", [0]),
        ("(alice OR bob) NOT read", [1]),
        ("action:getobject", [0]),
        ("action:Get*", [0]),
        ("action:*object", [0, 1]),
        ("action:(GetObject OR PutObject)", [0, 1]),
        ("NOT action:GetObject", [1, 2, 3]),
        ("actor:arn:aws:iam::1:user/alice", [0]),
        ('actor:"arn:aws:iam::1:user/alice"', [0]),
        ("actor:/user.(alice|bob)/", [0, 1]),
        ("/secret-\\w+\\.txt/", [0]),
        ("NOT error:Denied", [0, 1, 3]),
        ("error:*", [2]),
        ("_exists_:error", [2]),
        ('error:""', [0, 1, 3]),
        ('src_port:""', [2, 3]),
        ('NOT src_port:""', [0, 1]),
        ('time:""', [3]),
        ('attributes:""', [2, 3]),
        ('tag:""', [0, 1, 2, 3]),
        ("file:/usr/bin/ls", [3]),
        ("file:\\/usr*", [3]),
        ("message:alice", [0]),
        ("message:key", []),
        ("raw:key", [0]),
        ('message:""', [3]),
        ("src_ip:10.0.0.0/8", [0, 1]),
        ('src_ip:"::ffff:10.1.2.3"', [0]),
        ('src_ip:""', [3]),
        ("src_ip:10.1.0.0/16", [0]),
        ("src_ip:2001:db8::/32", [2]),
        ("src_ip:2001:DB8:0::BAD", [2]),
        ("src_ip:2001:db8::bad%eth0", [2]),
        ("src_ip:[2001:db8::bad%eth0 TO *]", [2]),
        ("src_ip:[10.1.0.0 TO 10.2.0.0]", [0]),
        ("NOT src_ip:10.0.0.0/8", [2, 3]),
        ("src_ip:10.1.*", [0]),
        ("src_port:443", [0]),
        ("src_port:>=443", [0, 1]),
        ("src_port:{443 TO *]", [1]),
        ("src_port:4*", [0]),
        ("attributes.size:[8 TO 20]", [0]),
        ("attributes.size:>6", [0, 1]),
        ("attributes.agent.name:boto*", [0]),
        ("attributes.size:*", [0, 1]),
        ("attributes:boto3", [0]),
        ("time:*", [0, 1, 2]),
        ("NOT time:*", [3]),
        ("time:2023-07-10", [0, 1, 2]),
        ("time:2023-07-10T01", [1]),
        ("time:2023-07-10T01:00", [1]),
        ('time:"2023-07-10 01:00"', [1]),
        ("time:>2023-07-10T01:00:00Z", [2]),
        ("time:>=2023-07-10T01:00:00+00:00", [1, 2]),
        ("time:[2023-07-10T00:30 TO 2023-07-10T01:30]", [1]),
        ("time:{2023-07-10T00:00 TO 2023-07-10T02:00}", [1]),
        ("time:>=now-29h", [1, 2]),
        ("time:[now-1d/d TO now/d}", [0, 1, 2]),
        ("time:2023", [0, 1, 2]),
        ("time:20230710", [0, 1, 2]),
        ("time:2023/07/10", [0, 1, 2]),
        ("time:20230710T010000Z", [1]),
        ("time:1688950800", [1]),
        ("time:1688950800000", [1]),
        ("time:1688950800000000", [1]),
        ("time:1688950800000000000", [1]),
        ("time:[1688950800.5 TO *]", [2]),
        ('time:"Mon, 10 Jul 2023 01:00:00 GMT"', [1]),
        ('time:"10/Jul/2023:03:00:00 +0200"', [1]),
        ('time:"2023-07-10 01:00:00 UTC"', [1]),
        ("time:2023-07-10T03:00:00+02", [1]),
        ('time:"Jul 10, 2023 @ 01:00:00.000"', [1]),
        ('time:"Mon Jul 10 01:00:00 UTC 2023"', [1]),
        ("time:2023-07-09||+1d/d", [0, 1, 2]),
        ("case:case", [0, 1, 2, 3]),
        ("tag:many", []),
        ("NOT tag:many", [0, 1, 2, 3]),
        ("starred:true OR alice", [0]),
    ],
)  # fmt: skip
def test_finds(store: Timeline, query: str, expected: list[int]) -> None:
    assert _found(store, query) == expected


def test_times_without_offset_are_in_the_zone(store: Timeline) -> None:
    assert _found(store, "time:2023-07-10T03:00", "Europe/Berlin") == [1]


def test_a_time_that_clocks_show_twice_names_both() -> None:
    def ends(text: str) -> list[str]:
        found = times.span(text, NOW, ZoneInfo("Europe/Berlin"))
        return [datetime.fromtimestamp(one // 10**9, UTC).strftime("%dT%H:%M:%S") for one in found]

    assert ends("2023-10-29 02:30") == ["29T00:30:00", "29T01:31:00"]
    assert ends("2023-10-29T02") == ["29T00:00:00", "29T02:00:00"]
    assert ends("2023-10-29 02:30:05.5") == ["29T00:30:05", "29T01:30:05"]
    assert ends("2023-10-29 02:30+01:00") == ["29T01:30:00", "29T01:31:00"]
    assert ends("2023-10-29 03:30") == ["29T02:30:00", "29T02:31:00"]
    assert ends("2023-10-29") == ["28T22:00:00", "29T23:00:00"]
    assert ends("2023-03-26 02:30") == ["26T01:30:00", "26T01:31:00"]


def test_marks_are_ids_of_events(store: Timeline) -> None:
    key = store.page(Search("case", "alice")).rows[0]["id"]
    search = Search("case", "tag:evil", marks=lambda kind, text: [key, "nonsense"])
    assert [r["id"] for r in store.page(search).rows] == [key]
    many = Search("case", "tag:*", marks=lambda kind, text: [key, *_marks("tag", "many")])
    assert store.count(many).rows == 1


@pytest.mark.parametrize(
    ("query", "asked"),
    [
        ("tag:ev*", "ev*"),
        (r"tag:a\*\:b", r"a\*:b"),
        (r"tag:a\\b", r"a\\b"),
        ('tag:"a*b"', r"a\*b"),
        ('comment:"why?"', r"why\?"),
        (r'tag:"C:\\Temp"', r"C:\\Temp"),
    ],
)
def test_what_is_text_of_a_mark_is_asked_for_as_text(
    store: Timeline, query: str, asked: str
) -> None:
    patterns = []
    store.count(Search("case", query, marks=lambda _kind, text: patterns.append(text) or []))
    assert patterns == [asked]


@pytest.mark.parametrize(
    ("query", "position", "length", "suggestion"),
    [
        ("acton:x", 0, 5, "action"),
        ("alice AND srcip:1", 10, 5, "src_ip"),
        ("_exists_:errr", 9, 4, "error"),
        ('"abc', 0, 1, '"abc"'),
        ("(a OR b", 0, 1, ""),
        ("a)", 1, 1, ""),
        ("a AND", 2, 3, ""),
        ("AND a", 0, 3, '"AND"'),
        ("action:", 0, 7, "action:*"),
        ("action: ", 0, 7, "action:*"),
        ("eventName:x", 0, 9, "action"),
        ("sourceIPAddress:10.0.0.1", 0, 15, "src_ip"),
        ("user.name:x", 0, 9, "actor"),
        ("Action:x", 0, 6, "action"),
        ("@timestamp:2023", 0, 10, "time"),
        ("errorMessage:x", 0, 12, "attributes.errorMessage"),
        ("a https://e.org/x?y", 2, 17, '"https://e.org/x?y"'),
        ("NOT C:\\Temp\\a.exe", 4, 13, '"C:\\\\Temp\\\\a.exe"'),
        ("C:\\\\Temp", 0, 8, '"C:\\\\Temp"'),
        ("arn:aws:iam::1:root OR b", 0, 19, '"arn:aws:iam::1:root"'),
        ("fe80::1", 0, 7, '"fe80::1"'),
        ("path:/etc/passwd", 0, 4, "file"),
        ("src_ip:300.1.1.1", 7, 9, "10.0.0.0/8"),
        ("src_ip:10.0", 7, 4, "10.0.*"),
        ("time:07/10/2023", 5, 10, "now-24h"),
        ("time:99999999999999999999", 5, 20, "now-24h"),
        ("time:soon", 5, 4, "now-24h"),
        ("time:2023-13-01", 5, 10, "now-24h"),
        ("time:[2024 TO 2023]", 5, 14, ""),
        ("time:[2024 TO", 5, 1, "[* TO *]"),
        ("src_ip:10.0.0.0/33", 7, 11, "10.0.0.0/8"),
        ("src_port:x", 9, 1, ""),
        ("a /(/", 3, 1, ""),
        ("foo~", 3, 1, "foo*"),
        ("[a TO b]", 0, 8, ""),
        ("()", 0, 2, ""),
        ("?", 0, 1, "*"),
        ("user : root", 0, 4, "actor"),
        ("action :", 0, 8, "action :*"),
        ("src_port:(>=)", 10, 2, ""),
        ("src_port:>(1 OR 2)", 9, 1, ""),
        ("src_port:[10 TO 1]", 9, 9, ""),
        ("src_ip:[10.0.0.9 TO 10.0.0.1]", 7, 22, ""),
        ("action:[Z TO A]", 7, 8, ""),
        ("starred:perhaps", 8, 7, "true"),
        ("a /get(x|y)/i", 2, 11, "/get(x|y)/"),
        ("action:/^Get/g", 7, 7, "/^Get/"),
        ("\u201cread secret\u201d", 0, 13, '"read secret"'),
        ("action:\u201cGetObject", 7, 1, '"'),
        ("a \u2013action:x", 2, 1, "-"),
        ("action:Get\u200bObject", 7, 10, "GetObject"),
        ("\ufeffaction:x", 0, 9, "action:x"),
    ],
)
def test_points_at_the_mistake(
    store: Timeline, query: str, position: int, length: int, suggestion: str
) -> None:
    with pytest.raises(BadQuery) as caught:
        _found(store, query)
    error = caught.value
    assert (error.position, error.length, error.suggestion) == (position, length, suggestion)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("alice and secret", "'and' was searched for as a word; what joins stands in capitals: "
                             "AND."),
        ("not action:x", "'not' was searched for as a word; what joins stands in capitals: NOT."),
        ("action=GetObject", "'action=GetObject' was searched for as text; a field is written "
                             "action:GetObject."),
        ("src_port!=80", "'src_port!=80' was searched for as text; a field is written "
                         "NOT src_port:80."),
        ("src_port >= 80", "'src_port >=' was searched for as words; a field is written "
                           "src_port:>=value."),
        ("action:(GetObject PutObject)", "No event has two values of action: one of them is "
                                         "action:(GetObject OR PutObject)."),
        ("src_port != 80", "'src_port !=' was searched for as words; a field is written "
                           "NOT src_port:value."),
        ("action:=GetObject", "'=GetObject' was searched for with its =; a field is written "
                              "action:GetObject."),
        ("alice OR action:!=GetObject", "'!=GetObject' was searched for with its !=; a field is "
                                        "written NOT action:GetObject."),
        ('actor:"*alice"', 'In quotes * is text, as in "*alice"; what has wildcards is not '
                           "quoted."),
        ('"rea*" AND actor:(bob OR "ali*")', 'In quotes * is text, as in "ali*"; what has '
                                             "wildcards is not quoted."),
        ("actor:'alice'", "'alice' was searched for with its quotes; a phrase stands in double "
                          "ones."),
        ("actor:'John Doe'", "'John Doe' was searched for with its quotes; a phrase stands in "
                             "double ones."),
        ("'read secret'", "'read secret' was searched for with its quotes; a phrase stands in "
                          "double ones."),
        ("actor:CORP\\alice", "'CORPalice' was searched for, since \\ takes the meaning off what "
                              "follows; a \\ that is text is written twice: CORP\\\\alice"),
        ('file:"C:\\Temp\\x.exe"', "'C:Tempx.exe' was searched for, since \\ takes the meaning off "
                                   "what follows; a \\ that is text is written twice: "
                                   "C:\\\\Temp\\\\x.exe"),
        ("time:>2023-07-10 12:00", "'12:00' was searched for as a word; a time with a blank stands "
                                   'in quotes: time:>"2023-07-10 12:00".'),
        ("src_port:>20 <30", "'<30' was searched for as a word; two bounds of one field stand in "
                             "parentheses: src_port:(>20 AND <30)."),
        ("+action:a +action:b", "No event has two values of action: one of them is "
                                "action:(a OR b)."),
    ],
)  # fmt: skip
def test_what_was_hardly_meant_is_told_beside_the_answer(
    store: Timeline, query: str, said: str
) -> None:
    assert said in store.count(Search("case", query, now=NOW)).notes


@pytest.mark.parametrize(
    "query",
    [
        "and", '"alice and bob"', "alice AND and*", "a=b", "message:(alice secret)", "tag:(a b)",
        "action:(Get* AND *Object)", "action:(a OR b)", "action:a OR action:b", "action:(a A)",
        "attributes.x:(a b)", "time:(2023 AND 2023-07)", "message:action=GetObject",
        'resource:"arn:aws:s3:::bucket/*"', '"SELECT * FROM"', 'actor:"*"', "it's 'tis",
        r'file:C\:\\Temp', r'"C:\\Temp"', r"actor:\NOT", "\\TO", r"/\d+/", r"actor:/\w/", r"a\*b",
        "time:2023-07-10 alice", "action:x 12:00", "actor:! OR x", "time:>2023 OR <x",
    ],
)  # fmt: skip
def test_nothing_is_doubted_that_is_usual(store: Timeline, query: str) -> None:
    found = store.count(Search("case", query, marks=_marks, now=NOW)).notes
    assert not [note for note in found if not re.search("index|has attributes", note)]


def test_starred_false_is_what_nobody_starred(store: Timeline) -> None:
    ids = {row["locator"]: row["id"] for row in store.page(Search("case", "")).rows}

    def found(query: str) -> list[str]:
        search = Search("case", query, marks=lambda _kind, _pattern: [ids["l1"]])
        return sorted(str(row["locator"]) for row in store.page(search).rows)

    assert found("starred:true") == found("starred:*") == found("starred:Yes") == ["l1"]
    assert found("starred:false") == found("NOT starred:true") == ["l0", "l2", "l3"]


def test_every_column_is_a_field(store: Timeline) -> None:
    assert {c.name for c in COLUMNS} <= set(FIELDS)
    for column in COLUMNS:
        store.count(Search("case", f"{column.name}:* AND NOT {column.name}:*"))


def test_depth_and_size_are_bounded(store: Timeline) -> None:
    for query in ("(" * 60 + "a" + ")" * 60, "a " * 501, "a" * 20_001, f"/{'a' * 1001}/"):
        with pytest.raises(BadQuery):
            _found(store, query)
    for query in ("NOT " * 3000 + "a", "a OR (b AND c) " * 100):
        try:
            _found(store, query)
        except BadQuery as error:
            assert error.length > 0


_PIECES = st.sampled_from(
    ["action:", "time:", "src_ip:", "src_port:", "attributes.x:", "raw:", "tag:", "id:", "(", ")",
     "[", "]", "{", "}", " TO ", " AND ", " OR ", " NOT ", "-", "+", "!", "*", "?", '"', "/", "\\",
     "~", "^", "now-1d", "10.0.0.0/8", "2023-07-10", "a", "'", "%", "$", "\x00", "é", ">=", ":"]
)  # fmt: skip


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.one_of(st.lists(_PIECES, max_size=12).map("".join), st.text(max_size=30)))
def test_any_text_runs_or_is_a_bad_query(store: Timeline, query: str) -> None:
    try:
        rows = store.count(Search("case", query, marks=_marks, now=NOW)).rows
    except BadQuery as error:
        assert 0 <= error.position <= len(query)
        assert error.length >= 1
        assert error.message
    else:
        assert 0 <= rows <= len(ROWS)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.text(min_size=1, max_size=30).filter(lambda t: t.isprintable()))
def test_a_quoted_value_finds_just_itself(store: Timeline, text: str) -> None:
    quoted = '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    store.write("quoted", batch({"resource": text, "locator": text}))
    found = store.page(Search("quoted", f"resource:{quoted}"), limit=1000).rows
    assert text in {row["resource"] for row in found}
    assert {row["resource"].lower() for row in found} == {text.lower()}


@pytest.mark.parametrize(
    ("expression", "words", "place"),
    [
        ("a[z-a]b", "invalid character class range", "z-a"),
        ("x*+*", "bad repetition operator", "*+"),
        ("a(b", "missing )", "a(b"),
    ],
)
def test_a_wrong_regular_expression_says_what_re2_says_and_where(
    timeline: Timeline, expression: str, words: str, place: str
) -> None:
    query = f"actor:/{expression}/"
    with pytest.raises(BadQuery) as caught:
        timeline.count(Search(case="c", query=query))
    error = caught.value
    assert words in error.message
    assert query[error.position : error.position + error.length] == place


def test_evidence_finds_what_it_holds_as_a_further_place(timeline: Timeline) -> None:
    same = {"locator": "a", "identity": "x", "message": "in both"}
    alone = {"locator": "b", "message": "here alone"}
    timeline.write("case", batch(same, alone))
    timeline.write("case", batch({**same, "locator": "z"}, evidence=OTHER))
    timeline.write("other", batch(alone, evidence=OTHER))

    def found(query: str, case: str = "case") -> list[str]:
        rows = timeline.page(Search(case, query)).rows
        return sorted(f"{one['case']} {one['locator']}" for one in rows)

    assert found(f"evidence:{OTHER}") == ["case a"]
    assert found(f"evidence:{OTHER[:8]}*") == found("evidence:/^f+$/") == ["case a"]
    assert found(f"evidence:{EVIDENCE} AND evidence:{OTHER}") == ["case a"]
    assert found(f"NOT evidence:{OTHER}") == ["case b"]
    assert found("evidence:*") == ["case a", "case b"]
    assert found(f"evidence:{OTHER}", "other") == ["other b"]
    assert found(f"evidence:{OTHER}", "") == ["case a", "other b"]
    assert found(f"evidence:{OTHER} AND message:both", "") == ["case a"]
    facets = timeline.facets(Search("case", f"evidence:{OTHER}"), ["source"])
    assert facets.rows == 1


@pytest.mark.parametrize(
    ("expression", "texts"),
    [
        ("Create.*Tream", ["create"]),
        ("secret-\\w+\\.txt", ["ecret"]),
        ("user.(alice|bob)", []),
        ("GetObject|PutObject", ["getobject", "putobject"]),
        ("GetObject|.", []),
        ("abcd?e", ["abc"]),
        ("abcd*?e", ["abc"]),
        ("abcd{0,1}efghi", ["efghi"]),
        ("abcd+e", ["abcd"]),
        ("abc{d", []),
        ("wxyz{", ["wxy"]),
        ("[abcdef]{2}xyzzy", ["xyzzy"]),
        ("[]abc]|[^]abc[:alpha:]def]ghij", []),
        ("[^]abc[:alpha:]def\\]lmn]ghij", ["ghij"]),
        ("(?:abcdef)?ghi", ["ghi"]),
        ("(?P<name>abcdef)*", []),
        ("a\\x41bcdef", []),
        ("\\Qabcdef\\E", []),
        ("\\pLabcdef", []),
        ("\\babcdef\\b", ["abcdef"]),
        ("Übermut", ["bermut"]),
        ("task", []),
        ("a|b|c|d|e|f|g|h|i", []),
    ],
)
def test_what_a_regular_expression_needs(expression: str, texts: list[str]) -> None:
    assert needed(expression) == texts


_PIECES = st.sampled_from(
    ["abc", "Wxyz", "k", "s", "task", "\u212aelvin", ".", "x?", "y*", "z{0,2}", "q{1}",
     "(abc|wxyz)", "(?:abc)?", "[a-c]", "[^x]", "\\w", "\\.", "\\b",
     "|", "^", "$", " ", "\\d+", "\u017f", "é"]
)  # fmt: skip
_TEXTS = st.lists(
    st.sampled_from(
        ["abc", "WXYZ", "wxy", "K", "\u212a", "\u017f", "task", "ta\u017f\u212a", "x", "yy", "q",
         ".", " ", "7", "É", "elvin", "-"]
    ), max_size=8,
)  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(pieces=st.lists(_PIECES, min_size=1, max_size=6), words=st.lists(_TEXTS, max_size=20))
def test_what_a_regular_expression_needs_stands_in_every_match(
    store: Timeline, pieces: list[str], words: list[list[str]]
) -> None:
    """The engine is the judge: a text that matches has one of the parts that are said."""
    expression = "".join(pieces)
    parts = [f"%{one}%" for one in needed(expression)]
    table = store._client.table(
        "SELECT count() AS n FROM (SELECT arrayJoin({texts:Array(String)}) AS text) WHERE "
        "match(text, {expression:String}) AND NOT arrayExists(p -> text ILIKE p, "
        "{parts:Array(String)}) AND notEmpty({parts:Array(String)})",
        {
            "texts": ["".join(one) for one in words],
            "expression": "(?is)" + expression,
            "parts": parts,
        },
    )
    assert table.column("n")[0].as_py() == 0
