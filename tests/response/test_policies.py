# SPDX-License-Identifier: Apache-2.0
"""Policies as they are handed in: within the limits of IAM, and nothing lost between parts."""

import json
import re

from locard.actions import policy
from locard.actions.catalogue import catalogue


def length(document: object) -> int:
    return len(json.dumps(document, separators=(",", ":")))


def test_the_policy_of_everything_is_parts_that_iam_takes_and_together_the_whole() -> None:
    whole = policy.enabled(catalogue().actions.values())
    parts = policy.parts(whole)
    assert len(parts) > 1, "all actions together are more than one managed policy"
    assert max(length(one) for one in parts) <= policy.MANAGED
    assert [one for part in parts for one in part["Statement"]] == whole["Statement"]
    assert {one["Version"] for one in parts} == {whole["Version"]}
    template = json.loads(policy.written(whole, "cloudformation"))["Resources"]
    assert [one["Properties"]["PolicyDocument"] for one in template.values()] == parts
    assert list(template)[:2] == ["Locard", "Locard2"]
    text = policy.written(whole, "terraform")
    found = re.findall(r"<<-POLICY\n(.*?)\n  POLICY\n", text, re.S)
    assert [json.loads(one) for one in found] == parts
    assert json.loads(policy.written(whole, "json")) == whole


def test_one_action_is_one_policy_and_a_statement_is_never_cut() -> None:
    one = policy.enabled([catalogue().get("isolate.aws.user")])
    assert policy.parts(one) == [one]
    long = {"Effect": "Allow", "Action": ["a:B"], "Resource": ["r" * 7000]}
    document = {"Version": "2012-10-17", "Statement": [*one["Statement"], long]}
    assert policy.parts(document)[-1]["Statement"] == [long]
