# SPDX-License-Identifier: Apache-2.0
"""The page as a responder uses it, in a real browser against the real server."""

import csv
import re
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, FloatRect, Page, expect

from tests.web.conftest import EVENTS, HOSTILE, LONG, Held, Served, preferences_kept, window

pytestmark = pytest.mark.browser

TIMELINE = "/cases/harbour/timeline"
# What the histogram keeps free of bars at its left and right, in pixels (see `Histogram.tsx`).
AXIS, PADDING = 46, 36


# In one breath, before the address can follow.
ENTER_AND_TYPE_ON = """field => {
    field.dispatchEvent(new KeyboardEvent("keydown", {key: "Enter", bubbles: true}))
    field.focus()
    document.execCommand("insertText", false, " alice")
}"""


def bars(page: Page) -> FloatRect:
    """Where the bars of the histogram are: the frame stays while the bars in it are drawn anew."""
    page.locator(".u-over").wait_for()
    frame = page.get_by_role("img", name=re.compile("^Events over time"))
    box = frame.bounding_box()
    assert box
    return {**box, "x": box["x"] + AXIS, "width": box["width"] - AXIS - PADDING}


def counted(page: Page, count: int) -> None:
    expect(page.locator("strong[aria-live]")).to_have_text(
        f"{count:,} event{'' if count == 1 else 's'}"
    )


def total(page: Page, count: int) -> None:
    """Wait for the count and for all around it: what comes later moves what is to be clicked."""
    counted(page, count)
    expect(page.locator("[data-stale]")).to_have_count(0)


def first_rows(page: Page) -> None:
    page.locator("#row-1 [role=gridcell]").first.wait_for()


def search(page: Page, query: str) -> None:
    page.keyboard.press("/")
    page.get_by_role("combobox", name="Query").fill(query)
    page.keyboard.press("Enter")


def test_without_signing_in_there_is_only_the_sign_in_page(served: Served, browser: Browser):
    with window(browser, served.address) as stranger:
        page = stranger.new_page()
        page.goto(TIMELINE)
        page.wait_for_url("**/sign-in?next=*")
        page.get_by_label("Name").fill("admin")
        page.get_by_label("Password", exact=True).fill("not the password")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert")).to_be_visible()


def test_a_sign_in_link_works_once(served: Served, browser: Browser, signed_in: Path):
    with window(browser, served.address) as stranger:
        page = stranger.new_page()
        page.goto(served.link)
        expect(page.get_by_role("alert")).to_be_visible()
        expect(page).not_to_have_url(re.compile("#"))


def test_the_overview_counts_and_leads_on(page: Page):
    page.goto("/cases")
    page.get_by_role("link", name="harbour").click()
    page.get_by_role("link", name=f"{EVENTS} events", exact=True).first.click()
    total(page, EVENTS)


def test_search_facets_and_address(page: Page):
    page.goto(TIMELINE)
    total(page, EVENTS)
    search(page, "action:GetObject")
    total(page, EVENTS // 3)
    facets = page.get_by_label("Facets")
    facets.get_by_role("button", name=re.compile("^failure")).click()
    total(page, 20)
    facets.get_by_role("button", name=re.compile("^success")).click()
    total(page, EVENTS // 3)
    address = page.url
    page.get_by_role("button", name="Clear all").click()
    total(page, EVENTS // 3)
    page.goto(address)
    expect(page.get_by_role("combobox", name="Query")).to_have_value("action:GetObject")
    expect(page.get_by_title("Turn into its opposite").first).to_be_visible()


def test_values_of_a_facet_stay_until_they_are_counted_anew(page: Page):
    page.goto(TIMELINE)
    total(page, EVENTS)
    held = Held(page, "**/facets?*")
    facets = page.get_by_role("complementary", name="Facets")
    other = facets.get_by_role("button", name=re.compile("^success"))
    before = other.bounding_box()
    facets.get_by_role("button", name=re.compile("^failure")).click()
    held.first()
    counted(page, EVENTS // 7)
    expect(facets).to_have_attribute("data-stale", "true")
    shown = other.bounding_box()
    chips = page.get_by_title("Turn into its opposite").locator("..").locator("..")
    row = chips.bounding_box()
    assert before and shown and row
    assert shown["y"] == before["y"] + row["height"], "only the row of chips came above it"
    held.let_go()
    total(page, EVENTS // 7)
    expect(other).to_be_visible()


def test_alt_click_excludes(page: Page):
    page.goto(TIMELINE)
    total(page, EVENTS)
    value = page.get_by_label("Facets").get_by_role("button", name=re.compile("^failure"))
    value.click(modifiers=["Alt"])
    total(page, EVENTS - EVENTS // 7)
    expect(page.locator("[data-not]").first).to_contain_text("is not")


def test_a_mistake_is_pointed_at_and_mended(page: Page):
    page.goto(TIMELINE)
    first_rows(page)
    page.keyboard.press("/")
    query = page.get_by_role("combobox", name="Query")
    query.fill("alice AND actin:GetObject")
    expect(page.get_by_role("alert")).to_contain_text("actin")
    wrong = page.locator("[data-kind][data-wrong]")
    assert "".join(wrong.all_inner_texts()).rstrip(":") == "actin"
    page.get_by_role("button", name="Use action").click()
    expect(query).to_have_value("alice AND action:GetObject")
    page.keyboard.press("Enter")
    total(page, 120)


def test_fields_and_values_are_completed(page: Page):
    page.goto(TIMELINE)
    first_rows(page)
    page.keyboard.press("/")
    page.keyboard.type("acti")
    page.get_by_role("option", name="action").wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.keyboard.type("Put")
    page.get_by_role("option", name="PutObject").wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    total(page, EVENTS // 3)


def test_a_late_answer_takes_no_choice_away(page: Page):
    page.goto(TIMELINE)
    first_rows(page)
    held = Held(page, re.compile(r"/values\?.*prefix=Put"))
    page.keyboard.press("/")
    page.keyboard.type("action:")
    page.get_by_role("option", name="PutObject").wait_for()
    page.keyboard.type("Put")
    late = held.first()
    page.keyboard.press("ArrowDown")
    with page.expect_response(re.compile("prefix=Put")):
        late.continue_()
    expect(page.get_by_role("option", name="PutObject", selected=True)).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_role("combobox", name="Query")).to_have_value("action:PutObject ")


def test_the_caret_stays_where_the_next_key_falls(page: Page):
    page.add_init_script("window.requestAnimationFrame = (then) => setTimeout(then, 400)")
    page.goto(TIMELINE)
    first_rows(page)
    page.keyboard.press("/")
    page.keyboard.type("acti")
    page.get_by_role("option", name="action").wait_for()
    for key in ("ArrowDown", "Enter", *"GetObject"):
        page.keyboard.press(key)
    page.wait_for_timeout(500)
    page.keyboard.type(" AND x")
    query = page.get_by_role("combobox", name="Query")
    expect(query).to_have_value("action:GetObject AND x")


def test_what_is_typed_after_a_search_was_sent_stays(page: Page):
    page.goto(TIMELINE)
    first_rows(page)
    page.keyboard.press("/")
    page.keyboard.type("action:GetObject")
    query = page.get_by_role("combobox", name="Query")
    query.evaluate(ENTER_AND_TYPE_ON)
    total(page, EVENTS // 3)
    expect(query).to_have_value("action:GetObject alice")
    page.keyboard.press("Enter")
    total(page, 120)
    page.go_back()
    expect(query).to_have_value("action:GetObject")


def test_keys_move_open_star_undo_and_tag(page: Page):
    page.goto(TIMELINE)
    first_rows(page)
    page.keyboard.press("j")
    page.keyboard.press("s")
    star = page.locator("#row-1").get_by_role("button", name="Star")
    expect(star).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("z")
    expect(star).to_have_attribute("aria-pressed", "false")
    page.keyboard.press("x")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.get_by_role("toolbar")).to_contain_text("2 marked")
    page.keyboard.press("t")
    page.get_by_label("Tag", exact=True).fill("first-access")
    page.keyboard.press("Enter")
    expect(page.locator("#row-2")).to_contain_text("first-access")
    search(page, "tag:first-access")
    total(page, 2)


def test_a_row_is_proved_and_commented(page: Page):
    page.goto(TIMELINE)
    first_rows(page)
    page.locator("#row-3").click()
    drawer = page.get_by_role("complementary", name="Event")
    expect(drawer).to_contain_text("trail.jsonl")
    page.keyboard.press("p")
    expect(drawer.get_by_text("Proved: this row is what the evidence says.")).to_be_visible()
    assert drawer.locator("li[data-passed=true]").count() >= 3
    drawer.get_by_label("Comment", exact=True).fill("This is where it begins.")
    drawer.get_by_role("button", name="Comment", exact=True).click()
    expect(drawer.get_by_text("This is where it begins.")).to_be_visible()
    tabs = page.get_by_role("navigation", name="Views of the case")
    tabs.get_by_role("link", name="Custody").click()
    page.get_by_role("link", name="Ledger").click()
    expect(page.get_by_text("Verified: bytes are unchanged").first).to_be_visible()


def test_pivots_and_neighbours(page: Page):
    page.goto(TIMELINE)
    first_rows(page)
    page.locator("#row-0").click()
    drawer = page.get_by_role("complementary", name="Event")
    drawer.get_by_role("button", name="This actor").click()
    total(page, EVENTS // 7)
    drawer.get_by_role("button", name="± 5 minutes").click()
    expect(page.get_by_role("button", name="Take the range away")).to_be_visible()
    page.go_back()
    total(page, EVENTS // 7)


def test_what_attackers_wrote_is_shown_and_never_run(page: Page):
    page.goto(f"{TIMELINE}?q=onerror")
    total(page, 1)
    page.locator("#row-0").get_by_text("onerror").click()
    drawer = page.get_by_role("complementary", name="Event")
    expect(drawer).to_contain_text("onerror")
    assert drawer.locator("img").count() == 0
    assert page.title() != "owned"
    for name in ("RLO", "ESC"):
        expect(drawer.locator(".control-character", has_text=name).first).to_be_visible()
    shown = drawer.inner_text()
    assert not set(HOSTILE) & {"\u202e", "\x1b"} & set(shown)


def test_the_histogram_narrows_by_dragging(page: Page):
    page.goto(TIMELINE)
    first_rows(page)
    box = bars(page)
    page.mouse.move(box["x"] + 5, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 20, steps=6)
    page.mouse.up()
    page.wait_for_url(re.compile("from=.*to="))
    expect(page.get_by_role("button", name="Whole span")).to_be_visible()
    expect(page.locator("strong[aria-live]")).not_to_have_text(f"{EVENTS} events")


def test_the_table_reaches_its_last_row(page: Page):
    page.goto(TIMELINE)
    first_rows(page)
    page.keyboard.press("End")
    last = page.locator(f"#row-{EVENTS - 1}")
    expect(last.get_by_role("gridcell").first).to_be_visible()
    assert page.locator("[role=row]").count() < 80


def exported(page: Page, folder: Path) -> list[dict[str, str]]:
    """The rows that the page gives as CSV."""
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as download:
        page.get_by_role("menuitem", name="CSV, columns as shown").click()
    download.value.save_as(folder / "out.csv")
    with (folder / "out.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_export_holds_what_matches(page: Page, tmp_path: Path):
    page.goto(f"{TIMELINE}?q=action:PutObject")
    total(page, EVENTS // 3)
    rows = exported(page, tmp_path)
    assert len(rows) == EVENTS // 3
    assert {row["action"] for row in rows} == {"PutObject"}


def test_a_search_is_saved_and_used_again(page: Page):
    page.goto(f"{TIMELINE}?q=outcome:failure")
    total(page, EVENTS // 7)
    page.get_by_role("button", name="Saved").click()
    page.get_by_label("Name of this search").fill("what failed")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Delete what failed")).to_be_visible()
    held = Held(page, "**/searches")
    page.goto(TIMELINE)
    total(page, EVENTS)
    page.keyboard.press("Control+k")
    page.get_by_role("combobox", name="Command").fill("what failed")
    page.keyboard.press("Enter")
    held.first()
    expect(page.get_by_text("Nothing is called that.")).to_have_count(0)
    held.let_go()
    total(page, EVENTS // 7)


def test_evidence_is_added_by_upload_and_its_progress_ends(page: Page, tmp_path: Path):
    page.goto("/cases")
    page.get_by_role("button", name="New case").click()
    page.get_by_label("Name").fill("uploaded")
    page.get_by_role("button", name="Make the case").click()
    page.get_by_text("No evidence yet").wait_for()
    file = tmp_path / "shell.jsonl"
    file.write_text('{"datetime": "2026-03-01T00:00:00Z", "message": "hello"}\n' * 1)
    page.locator("input[type=file][multiple]").set_input_files(file)
    row = page.get_by_role("row", name=re.compile("shell.jsonl"))
    expect(row).to_contain_text("parsed", timeout=LONG)
    # The work above the rows goes when it is done: a click while they move up hits nothing.
    expect(page.get_by_role("progressbar")).to_have_count(0, timeout=LONG)
    row.click()
    expect(page.get_by_label("Piece of evidence")).to_contain_text("1 seen = 1 rows + 0 problems")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_both_themes_stay_inside_the_window(page: Page, scheme: str):
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    for size in ({"width": 1280, "height": 800}, {"width": 2560, "height": 1440}):
        page.set_viewport_size({"width": size["width"], "height": size["height"]})
        page.goto(TIMELINE)
        first_rows(page)
        root = page.locator("html")
        expect(root).to_have_attribute("data-mantine-color-scheme", scheme)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")


def test_settings_are_kept(page: Page):
    page.goto("/settings")
    page.get_by_role("combobox", name="Time zone").fill("Zurich")
    page.get_by_role("option", name="Europe/Zurich").click()
    page.goto(TIMELINE)
    first_rows(page)
    expect(page.get_by_role("columnheader", name=re.compile("time"))).to_contain_text(
        "Europe/Zurich"
    )
    page.goto("/settings")
    with page.expect_response(preferences_kept):
        page.get_by_role("combobox", name="Time zone").fill("UTC")
        page.get_by_role("option", name="UTC", exact=True).click()


# Each of these keys goes down before the page has drawn what the one before it did.
PRESS = """keys => {
    for (const key of keys) {
        const here = document.activeElement ?? document.body
        here.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true, cancelable: true}))
    }
}"""


def test_keys_pressed_in_one_breath_mean_what_is_by_then(page: Page):
    page.goto(TIMELINE)
    first_rows(page)
    star = page.locator("#row-0").get_by_role("button", name="Star")
    page.evaluate(PRESS, ["s", "s"])
    page.wait_for_timeout(300)
    expect(star).to_have_attribute("aria-pressed", "false")
    page.evaluate(PRESS, ["Enter", "Escape"])
    page.wait_for_timeout(300)
    expect(page.get_by_role("complementary", name="Event")).to_have_count(0)
    assert "event=" not in page.url


def test_the_drawer_goes_along_and_marks_hit_the_row_under_the_cursor(page: Page):
    page.goto(TIMELINE)
    first_rows(page)
    page.keyboard.press("Enter")
    for key in ("j", "s", "j", "j"):
        page.keyboard.press(key)
    pressed = page.locator("[role=row][aria-rowindex] [aria-label=Star][aria-pressed=true]")
    expect(pressed).to_have_count(1)
    expect(page.locator("#row-1 [aria-label=Star]")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#row-3")).to_have_attribute("data-open", "true")
    page.keyboard.press("k")
    page.keyboard.press("p")
    drawer = page.get_by_role("complementary", name="Event")
    expect(drawer.get_by_text("Proved: this row is what the evidence says.")).to_be_visible()
    expect(page.locator("#row-2")).to_have_attribute("data-open", "true")
    page.keyboard.press("z")
    expect(pressed).to_have_count(0)


def test_what_is_typed_after_t_is_the_tag_and_after_the_palette_key_a_command(page: Page):
    page.goto(TIMELINE)
    first_rows(page)
    for key in ("t", *"jox", "Enter", "j"):
        page.keyboard.press(key)
    expect(page.locator("#row-0")).to_contain_text("jox")
    expect(page.get_by_role("grid", name="Events")).to_have_attribute(
        "aria-activedescendant", "row-1"
    )
    expect(page.get_by_role("complementary", name="Event")).to_have_count(0)
    page.keyboard.press("z")
    expect(page.locator("#row-0")).not_to_contain_text("jox")
    for key in ("Control+k", *"custody", "Enter"):
        page.keyboard.press(key)
    page.wait_for_url("**/custody")


def test_two_facets_clicked_at_once_both_hold(page: Page):
    page.goto(TIMELINE)
    first_rows(page)
    page.get_by_label("Facets").get_by_role("button", name=re.compile("^GetObject")).wait_for()
    page.evaluate(
        """() => {
            const values = [...document.querySelectorAll("[aria-label=Facets] button")]
            for (const name of ["failure", "GetObject"])
                values.find((each) => each.textContent.startsWith(name)).click()
        }"""
    )
    total(page, EVENTS // 21)


def test_a_star_outlives_an_answer_that_was_asked_for_before_it(page: Page):
    page.goto(TIMELINE)
    first_rows(page)
    page.locator("#row-6").click()
    drawer = page.get_by_role("complementary", name="Event")
    rows = re.compile(r"/events\?")
    held = Held(page, rows)
    drawer.get_by_label("Comment", exact=True).fill("asks for all rows again")
    drawer.get_by_role("button", name="Comment", exact=True).click()
    late = held.first()
    known = page.request.get(late.request.url)
    star = page.locator("#row-6").get_by_role("button", name="Star")
    with page.expect_response("**/marks"):
        star.click()
    with page.expect_response(rows):
        late.fulfill(response=known)
    page.unroute(rows)
    expect(page.locator("#row-6")).to_contain_text("1")
    expect(star).to_have_attribute("aria-pressed", "true")
    with page.expect_response("**/marks"):
        page.get_by_role("grid", name="Events").press("z")
    expect(star).to_have_attribute("aria-pressed", "false")


def test_a_choice_is_kept_by_somebody_who_leaves_at_once(page: Page):
    page.goto("/settings")
    with page.expect_response(preferences_kept):
        page.get_by_text("Dark", exact=True).click()
    page.get_by_text("Comfortable", exact=True).click()
    page.reload()
    expect(page.get_by_role("radio", name="Comfortable")).to_be_checked()
    page.wait_for_timeout(500)
    expect(page.get_by_role("radio", name="Comfortable")).to_be_checked()
    with page.expect_response(preferences_kept):
        page.get_by_text("As the system", exact=True).click()
        page.get_by_text("Compact", exact=True).click()


def test_a_comment_that_was_begun_stays(page: Page):
    page.goto(TIMELINE)
    first_rows(page)
    page.locator("#row-4").click()
    drawer = page.get_by_role("complementary", name="Event")
    field = drawer.get_by_label("Comment", exact=True)
    field.fill("half a thought")
    drawer.get_by_role("button", name="Next row (j)").click()
    expect(field).to_have_value("")
    drawer.get_by_role("button", name="Row before (k)").click()
    expect(field).to_have_value("half a thought")
    field.press("Control+Enter")
    field.press("Control+Enter")
    expect(drawer.get_by_text("half a thought")).to_have_count(1)
    expect(field).to_have_value("")


def test_bars_stay_in_the_hand_that_drags(page: Page):
    page.goto(TIMELINE)
    first_rows(page)
    page.locator(".u-over").wait_for()
    held = Held(page, "**/histogram?*")
    page.get_by_label("Facets").get_by_role("button", name=re.compile("^failure")).click()
    late = held.first()
    counted(page, EVENTS // 7)
    box = bars(page)
    page.mouse.move(box["x"] + 5, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + 60, box["y"] + 20, steps=3)
    with page.expect_response("**/histogram?*"):
        late.continue_()
    expect(page.locator("[data-stale]")).to_have_count(0)
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 20, steps=4)
    page.mouse.up()
    page.wait_for_url(re.compile("from=.*to="))
    asked = parse_qs(urlsplit(page.url).query)
    first, last = (datetime.fromisoformat(asked[name][0]) for name in ("from", "to"))
    assert timedelta(days=1.5) < last - first < timedelta(days=3)


def test_what_is_undone_is_gone_before_the_server_has_answered(page: Page):
    page.goto(TIMELINE)
    first_rows(page)
    held = Held(page, "**/marks")
    page.keyboard.press("s")
    star = page.locator("#row-0").get_by_role("button", name="Star")
    expect(star).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("z")
    expect(star).to_have_attribute("aria-pressed", "false")
    held.first()
    held.let_go()
    expect(page.get_by_text("Undone.")).to_be_visible()
    page.reload()
    first_rows(page)
    expect(star).to_have_attribute("aria-pressed", "false")
