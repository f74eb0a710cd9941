# SPDX-License-Identifier: Apache-2.0
"""Every source of alerts: samples give the alerts beside them, no bytes raise anything else.

`python -m tests.contracts.test_alert_sources` writes the expected alerts anew. Read the difference.
"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from locard.cases.alerts.sources import OWN, Source, sources
from locard.model.alert import Said, Severity
from locard.model.errors import Unreadable

NOW = 1_795_700_000_000_000_000
KNOWN = list(sources().by_id.values())
SAMPLES = [
    (source, path)
    for source in KNOWN
    for path in sorted((source.folder / "samples").glob("*.json"))
    if not path.name.endswith(".expected.json")
]


def told(said: Said) -> dict[str, Any]:
    """An alert as the file beside a sample says it: without the whole content."""
    record = asdict(said)
    del record["content"]
    record["targets"] = [one.key for one in said.targets]
    return {"alert": said.id} | {name: value for name, value in record.items() if value}


def expected(sample: Path) -> Path:
    return sample.with_suffix(".expected.json")


@pytest.mark.parametrize("source", KNOWN, ids=lambda one: one.id)
def test_a_source_has_samples_a_title_and_rules_for_all_that_an_alert_needs(source: Source) -> None:
    assert any(one is source for one, _ in SAMPLES)
    assert source.title and source.about and source.data["recognise"]
    assert {"id", "kind", "title", "severity", "time"} <= set(source.data["alert"])
    bands = source.data["alert"]["severity"]
    if isinstance(bands, dict):
        words = {*bands.get("bands", {}), *bands.get("values", {}).values()}
        assert words <= {*Severity, bands.get("const")}


@pytest.mark.parametrize(("source", "sample"), SAMPLES, ids=lambda one: getattr(one, "stem", ""))
def test_a_sample_is_recognised_as_its_source_and_gives_what_is_expected(
    source: Source, sample: Path
) -> None:
    says = sources().read(sample.read_bytes(), NOW)
    assert {one.source for one in says} == {source.id}
    assert says == sources().read(sample.read_bytes(), NOW, source.id)
    assert [told(one) for one in says] == json.loads(expected(sample).read_text())
    others = [one for one in KNOWN if one is not source]
    for other in others:
        with pytest.raises(Unreadable):
            sources().read(sample.read_bytes(), NOW, other.id)


@pytest.mark.evidence
def test_the_recordings_of_real_findings_are_read(evidence: Path) -> None:
    folder = evidence / "aws_api_recordings" / "cloud-custodian" / "tests" / "data" / "cwe"
    one = sources().read((folder / "ec2-duty-event.json").read_bytes(), NOW)
    assert [(o.source, o.kind, o.severity.value) for o in one] == [
        ("aws.guardduty", "Backdoor:EC2/C&CActivity.B!DNS", "medium")
    ]
    assert [t.key for t in one[0].targets] == ["aws/883606788610/us-east-1/instance/i-99999999"]
    hub = sources().read(
        (folder / "event-securityhub-iamkey-finding-action.json").read_bytes(), NOW
    )
    assert ("user", "kapil") in {(t.kind, t.id) for t in hub[0].targets}
    with pytest.raises(Unreadable, match="no source of alerts"):
        sources().read((folder / "event-securityhub-insight-2.json").read_bytes(), NOW)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=20,
)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(SAMPLES), st.data())
def test_whatever_stands_in_place_of_a_value_the_alert_is_read_or_refused(
    sample: tuple[Source, Path], data: st.DataObject
) -> None:
    message = json.loads(sample[1].read_bytes())
    holder = message
    for _ in range(data.draw(st.integers(0, 4))):
        inner = [one for one in holder.values() if isinstance(one, dict) and one]
        inner += [one[0] for one in holder.values()
                  if isinstance(one, list) and one and isinstance(one[0], dict)]  # fmt: skip
        if not inner:
            break
        holder = data.draw(st.sampled_from(inner))
    holder[data.draw(st.sampled_from(sorted(holder)))] = data.draw(JSON)
    body = json.dumps(message).encode()
    try:
        says = sources().read(body, NOW)
    except Unreadable as error:
        assert error.message
        return
    for one in says:
        assert one.original and one.title and one.severity in Severity
        assert all(part.isprintable() for part in (one.title, one.kind, one.account, one.region))
        assert all(" " not in target.id for target in one.targets)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_bytes_that_are_no_alert_are_refused_in_a_sentence(body: bytes) -> None:
    with pytest.raises(Unreadable):
        sources().read(body, NOW)


def test_an_alert_said_again_with_other_words_is_the_same() -> None:
    sample = sources().get("aws.guardduty").folder / "samples" / "credential-exfiltration.json"
    before = sources().read(sample.read_bytes(), NOW)[0]
    again = json.loads(sample.read_bytes())
    again["detail"]["title"], again["detail"]["severity"] = "other words", 1
    after = sources().read(json.dumps(again).encode(), NOW)[0]
    assert before.id == after.id and before.title != after.title


def main() -> None:
    """Write the expected alerts anew."""
    for _, sample in SAMPLES:
        says = [told(one) for one in sources().read(sample.read_bytes(), NOW)]
        expected(sample).write_text(json.dumps(says, indent=1, ensure_ascii=False) + "\n")
        print(sample.relative_to(OWN))


if __name__ == "__main__":
    main()
