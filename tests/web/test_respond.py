# SPDX-License-Identifier: Apache-2.0
"""`locard demo respond` walked through in a browser: from the alert to the release."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from playwright.sync_api import Browser, Page, expect

from locard.cases.demo.cloud.account import REGION
from locard.state import accounts
from locard.state.database import open_state
from tests.response.aws import differences, steady
from tests.waiting import PATIENCE, said
from tests.web.conftest import LONG

pytestmark = [pytest.mark.browser, pytest.mark.server]


@dataclass
class Rehearsal:
    """A running `locard demo respond`."""

    link: str
    instance: str
    home: Path

    def state(self) -> dict[str, Any]:
        """Everything that the isolation touches, asked by an administrator."""
        opened = open_state(self.home / "state.sqlite")
        with opened.session() as session:
            (account,) = accounts.every(session)
        opened.close()

        def client(name: str) -> Any:
            return boto3.client(
                name,
                region_name=REGION,
                endpoint_url=account.endpoint,
                aws_access_key_id="administrator",
                aws_secret_access_key="simulated",
            )

        ec2, scaling, iam = client("ec2"), client("autoscaling"), client("iam")
        found: dict[str, Any] = {
            "instance": ec2.describe_instances(InstanceIds=[self.instance])["Reservations"][0][
                "Instances"
            ],
            "interfaces": ec2.describe_network_interfaces(
                Filters=[{"Name": "attachment.instance-id", "Values": [self.instance]}]
            ),
            "groups": ec2.describe_security_groups(),
            "addresses": ec2.describe_addresses(),
            "policies": {
                one["RoleName"]: iam.list_role_policies(RoleName=one["RoleName"])["PolicyNames"]
                for one in iam.list_roles()["Roles"]
            },
            "group": scaling.describe_auto_scaling_groups()["AutoScalingGroups"],
        }
        for name in ("disableApiTermination", "disableApiStop"):
            found[name] = ec2.describe_instance_attribute(InstanceId=self.instance, Attribute=name)
        members = found["group"][0].pop("Instances")
        found["members"] = len(members)
        found["member"] = [one for one in members if one["InstanceId"] == self.instance]
        answer = steady(found)
        assert isinstance(answer, dict)
        return answer


@pytest.fixture
def rehearsal(tmp_path: Path) -> Iterator[Rehearsal]:
    """The one documented command, in a home of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "locard.cli.main", "demo", "respond", "--port", "0"],
        env=os.environ
        | {"LOCARD_HOME": str(tmp_path), "LOCARD_WORKERS": "1", "COLUMNS": "400"}
        | {"PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        text=True,
    )
    text = said(process, "Stop it with")
    link, instance = re.search(r"http\S+/sign-in\S+", text), re.search(r"\bi-[0-9a-f]+", text)
    assert link and instance, text
    (home,) = tmp_path.glob("rehearsal-*")
    yield Rehearsal(link[0], instance[0], home)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=PATIENCE)
    assert list(tmp_path.glob("rehearsal-*")) == [], "nothing of it outlives the command"


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page that must not say anything wrong on its console."""
    wrong: list[str] = []
    context = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    context.set_default_timeout(LONG)
    page = context.new_page()
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    yield page
    context.close()
    assert wrong == []


def test_from_the_alert_to_the_release(rehearsal: Rehearsal, page: Page) -> None:
    before = rehearsal.state()
    page.goto(rehearsal.link)
    waits = page.get_by_role("region", name="Waiting for approval")
    expect(waits).to_contain_text("waits for somebody to agree", timeout=LONG)
    expect(waits).to_contain_text(rehearsal.instance)
    expect(page.get_by_role("table")).to_contain_text("SIMULATED")
    assert differences(before, rehearsal.state()) == [], "collecting changes nothing"

    expect(waits).to_contain_text(re.compile(r"23 h 5\d min left"))
    places = page.get_by_role("navigation", name="Places")
    expect(places).to_contain_text("1 run waits for you to agree", timeout=LONG)
    waits.get_by_role("button", name="See the plan and agree…").click()
    dialog = page.get_by_role("dialog")
    agree = dialog.get_by_role("button", name="Agree", exact=True)
    dialog.get_by_label("Reason").fill("beacon confirmed")
    expect(agree).to_be_disabled()
    plan = dialog.get_by_role("region", name="What you agree to")
    expect(plan).to_contain_text("All of them can be put back", timeout=LONG)
    dialog.get_by_role("checkbox").check()
    agree.click()
    expect(dialog).to_be_hidden(timeout=LONG)
    # What waited goes from the top of the page: a click while all below it moves up hits nothing.
    expect(waits).to_be_hidden(timeout=LONG)

    page.get_by_role("link", name=re.compile("^case alert-")).first.click()
    row = page.get_by_role("row").filter(has_text="Isolate an EC2 instance")
    expect(row).to_contain_text("isolated", timeout=LONG)
    expect(page.get_by_text("1 target still isolated")).to_be_visible()
    expect(places).not_to_contain_text("waits for you", timeout=LONG)
    # Above the runs stands what the playbook did; nothing moves any more when it is done.
    playbook = page.get_by_role("article").filter(has_text="controlled from outside")
    expect(playbook).to_contain_text("Agreed by admin", timeout=LONG)
    expect(playbook.get_by_text("done", exact=True).first).to_be_visible(timeout=LONG)
    page.get_by_text("Released", exact=True).click()
    expect(page.get_by_text("None is in this state.")).to_be_visible()
    page.get_by_text("Isolated", exact=True).click()
    expect(page).to_have_url(re.compile("runs=isolated"))
    expect(page.get_by_role("row")).to_have_count(2)
    assert differences(before, rehearsal.state()) != []

    row.get_by_role("link").click()
    expect(page.get_by_text(f"{rehearsal.instance} is isolated")).to_be_visible()
    expect(page.get_by_text(re.compile(r"^admin, .*: beacon confirmed$"))).to_be_visible()
    page.get_by_role("button", name="Check that it holds").click()
    expect(page.get_by_text(re.compile("12 of them seen to hold"))).to_be_visible(timeout=LONG)
    page.get_by_role("button", name="Release…").click()
    expect(dialog).to_contain_text("12 changes", timeout=LONG)
    expect(dialog.get_by_role("listitem").last).to_contain_text("Attach it to shop-web")
    dialog.get_by_label("Reason").fill("all clear")
    dialog.get_by_role("checkbox").check()
    dialog.get_by_role("button", name="Release i-").click()
    told = "the state after release equals the state before, compared call by call"
    expect(page.get_by_role("note")).to_contain_text(told, timeout=LONG)
    expect(page.get_by_text("the same", exact=True)).to_have_count(12)
    assert differences(before, rehearsal.state()) == []

    page.get_by_role("link", name="All that was done").click()
    expect(page.get_by_text("nothing is isolated now")).to_be_visible()
    disks = page.get_by_role("row").filter(has_text="Collect the disks")
    disks.get_by_role("link").click()
    line = (
        f"From here on it reads copies that stand: {rehearsal.instance} may be isolated meanwhile."
    )
    expect(page.get_by_text(line)).to_be_visible()
    expect(page.get_by_text("not locked")).to_have_count(0)
    page.get_by_role("link", name=re.compile(r"\.raw")).click()
    page.wait_for_url("**/custody?*id=*")
    expect(page.get_by_label("Life of the exhibit")).to_contain_text("vol-", timeout=LONG)

    page.get_by_role("link", name="Timeline").click()
    expect(page.get_by_text(re.compile(r"^8\d{2} events"))).to_be_visible(timeout=LONG)


def test_by_hand_nothing_is_isolated_before_the_plan_was_read(
    rehearsal: Rehearsal, page: Page
) -> None:
    before = rehearsal.state()
    page.goto(rehearsal.link)
    page.wait_for_url("**/respond")
    waits = page.get_by_role("region", name="Waiting for approval")
    expect(waits).to_be_visible(timeout=LONG)
    waits.get_by_role("button", name="Refuse…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Reason").fill("we do it by hand")
    dialog.get_by_role("button", name="Refuse for good").click()
    expect(waits).to_be_hidden(timeout=LONG)
    page.get_by_role("link", name=re.compile("^case alert-")).first.click()

    page.get_by_role("textbox", name="Target").fill("web-01")
    expect(page.get_by_role("button", name="Isolate…")).to_be_disabled()
    page.get_by_role("textbox", name="Target").fill(rehearsal.instance)
    page.get_by_role("button", name="Isolate…").click()
    plan = page.get_by_role("article", name="Isolate an EC2 instance")
    expect(plan).to_contain_text("All of them can be put back", timeout=LONG)
    expect(plan).to_contain_text("Nothing of this instance can call AWS any more.")
    page.get_by_label("Stop it at the end; its memory is lost").check()
    expect(plan).to_contain_text("Its memory, instance store volumes", timeout=LONG)
    act = page.get_by_role("button", name=f"Isolate {rehearsal.instance}")
    page.get_by_role("textbox", name="Reason").fill("beacons")
    expect(act).to_be_disabled()
    page.get_by_label("I have read what stops working.").check()
    assert differences(before, rehearsal.state()) == [], "a plan changes nothing"
    act.click()
    isolating = page.get_by_role("heading", name=f"Isolating {rehearsal.instance}")
    expect(isolating).to_be_visible(timeout=LONG)
    expect(page.get_by_text(f"{rehearsal.instance} is isolated")).to_be_visible(timeout=LONG)
