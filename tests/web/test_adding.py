# SPDX-License-Identifier: Apache-2.0
"""Uploads: nothing that was chosen is lost on the way, and what is known already is said."""

import os
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.web.conftest import LONG, Held

pytestmark = pytest.mark.browser

ODD = "odd\u202egpj\x1b name.jsonl"


def events(path: Path, text: str) -> Path:
    path.write_text(f'{{"datetime": "2026-03-01T00:00:00Z", "message": "{text}"}}\n')
    return path


def made(page: Page, case: str) -> None:
    """Make a case and look at its evidence, of which there is none."""
    page.goto("/cases")
    page.get_by_role("button", name="New case").click()
    page.get_by_label("Name").fill(case)
    page.get_by_role("button", name="Make the case").click()
    page.get_by_text("No evidence yet").wait_for()


def test_files_go_on_while_another_page_is_looked_at(page: Page, tmp_path: Path):
    made(page, "several")
    files = [events(tmp_path / f"f{n}.jsonl", f"number {n}") for n in range(4)]
    files.append(events(tmp_path / ODD, "odd"))
    (tmp_path / "empty.log").touch()
    files.append(tmp_path / "empty.log")
    held = Held(page, re.compile(r"/evidence\?name="))
    picker = page.locator("input[type=file][multiple]")
    picker.set_input_files(files)
    expect(page.get_by_role("region", name="f0.jsonl")).to_contain_text("0 %")
    waiting = page.get_by_text("further files wait to be uploaded.")
    expect(waiting).to_contain_text("f1.jsonl, f2.jsonl, f3.jsonl and 2 further files wait")
    tabs = page.get_by_role("navigation", name="Views of the case")
    tabs.get_by_role("link", name="People").click()
    expect(waiting).to_have_count(0)
    held.first()
    held.let_go()
    tabs.get_by_role("link", name="Evidence").click()
    expect(page.get_by_text("6 pieces")).to_be_visible(timeout=LONG)
    rows = page.get_by_role("row")
    expect(rows.filter(has_text="not parsed")).to_contain_text("empty file", timeout=LONG)
    expect(rows.filter(has_text="odd")).to_contain_text("RLO")
    picker.set_input_files(files[:2])
    told = page.get_by_text("are in this case already: nothing is added twice.")
    expect(told).to_contain_text("f0.jsonl, f1.jsonl")
    told.get_by_role("button", name="Dismiss").click()
    expect(told).to_have_count(0)
    expect(page.get_by_text("6 pieces")).to_be_visible()


def test_an_upload_can_be_cancelled_and_says_so(page: Page, tmp_path: Path):
    page.goto("/cases/harbour/evidence")
    page.get_by_role("row", name=re.compile("trail.jsonl")).wait_for()
    held = Held(page, re.compile(r"/evidence\?name="))
    page.locator("input[type=file][multiple]").set_input_files(
        events(tmp_path / "never.jsonl", "never")
    )
    route = held.first()
    page.get_by_label("never.jsonl").get_by_role("button", name="Cancel").click()
    told = page.get_by_role("alert").filter(has_text="never.jsonl")
    expect(told).to_contain_text("was not added. The upload was cancelled.")
    route.abort()
    page.reload()
    page.get_by_role("row", name=re.compile("trail.jsonl")).wait_for()
    expect(page.get_by_role("row", name=re.compile("never.jsonl"))).to_have_count(0)


def test_a_folder_keeps_its_paths_and_says_what_it_leaves_out(page: Page, tmp_path: Path):
    host = tmp_path / "web-07"
    (host / "var/log").mkdir(parents=True)
    (host / "etc").mkdir()
    (host / "etc/hostname").write_text("web-07\n")
    log = "Mar  1 10:00:00 web-07 sshd[1]: Accepted publickey for root from 10.0.0.5 port 22 ssh2\n"
    (host / "var/log/auth.log").write_text(log)
    (tmp_path / "nothing").mkdir()
    made(page, "folders")
    page.locator("input[type=file][webkitdirectory]").set_input_files(host)
    row = page.get_by_role("row", name=re.compile("auth.log"))
    expect(row).to_contain_text("inside web-07.tar/web-07/var/log/auth.log", timeout=LONG)
    expect(row).to_contain_text("parsed", timeout=LONG)
    dropped(page, host, tmp_path / "nothing", events(tmp_path / "beside.jsonl", "beside"))
    expect(page.get_by_text("is in this case already")).to_contain_text("web-07.tar", timeout=LONG)
    told = page.get_by_role("alert").filter(has_text="nothing")
    expect(told).to_contain_text("was not added. There is no file in this folder.")
    expect(page.get_by_role("row", name=re.compile("beside.jsonl"))).to_be_visible(timeout=LONG)


def dropped(page: Page, *paths: Path) -> None:
    """Drop files and folders onto the middle of the page, as a file manager does."""
    session = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    for step in ("dragEnter", "dragOver", "drop"):
        session.send("Input.dispatchDragEvent", {"type": step, "x": 600, "y": 500, "data": data})


def test_logs_without_year_and_zone_are_read_as_their_file_and_the_analyst_say(
    page: Page, tmp_path: Path
):
    made(page, "no-years")
    log = tmp_path / "auth.log"
    line = "Jul  1 12:00:{:02} web sshd[7]: Failed password for eve from 203.0.113.7 port 4\n"
    log.write_text("".join(line.format(second) for second in range(12)))
    summer = datetime(2019, 7, 2, tzinfo=UTC).timestamp()
    os.utime(log, (summer, summer))
    picker = page.locator("input[type=file][multiple]")
    picker.set_input_files(log)
    row = page.get_by_role("row", name=re.compile(r"auth\.log"))
    expect(row).to_contain_text("parsed", timeout=LONG)
    page.get_by_role("link", name="Timeline").click()
    expect(page.locator("#row-0")).to_contain_text("2019-07-01 12:00:00")
    page.get_by_role("link", name="Evidence").click()
    page.get_by_role("button", name="Read as recognised").click()
    page.get_by_role("combobox", name="Zone of times").fill("Kolkata")
    page.get_by_role("option", name="Asia/Kolkata").click()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Read in Asia/Kolkata")).to_be_visible()
    picker.set_input_files(log)
    expect(page.get_by_text("is read anew")).to_be_visible()
    expect(row).to_contain_text("parsed", timeout=LONG)
    page.get_by_role("link", name="Timeline").click()
    expect(page.locator("#row-0")).to_contain_text("2019-07-01 06:30:00", timeout=LONG)


def test_all_names_of_the_same_bytes_are_told(page: Page, tmp_path: Path):
    made(page, "twins")
    files = [events(tmp_path / name, "the same") for name in ("one.jsonl", "other.jsonl")]
    page.locator("input[type=file][multiple]").set_input_files(files)
    row = page.get_by_role("row", name=re.compile(r"one\.jsonl"))
    expect(row).to_contain_text("parsed", timeout=LONG)
    expect(page.get_by_role("status").filter(has_text="other.jsonl")).to_be_visible(timeout=LONG)
    row.click()
    side = page.get_by_role("complementary", name="Piece of evidence")
    expect(side).to_contain_text("Found as")
    expect(side).to_contain_text("other.jsonl")
