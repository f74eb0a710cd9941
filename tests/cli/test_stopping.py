# SPDX-License-Identifier: Apache-2.0
"""A Ctrl-C ends a command with one sentence, whatever it was doing and whoever caught it first."""

import signal

import pytest
import typer

from locard.cli import main
from locard.cli.stopping import held


@pytest.mark.parametrize(
    ("number", "raised"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)]
)
def test_a_signal_waits_for_a_place_where_it_can_be_taken(
    number: signal.Signals, raised: type[BaseException]
) -> None:
    before = signal.getsignal(number)
    done = []
    with pytest.raises(raised), held() as check:
        signal.raise_signal(number)
        done.append("what was begun")
        check()
        done.append("what comes after")
    assert done == ["what was begun"]
    assert signal.getsignal(number) is before


def test_it_is_raised_at_the_end_where_nobody_asks() -> None:
    done = []
    with pytest.raises(KeyboardInterrupt), held():
        signal.raise_signal(signal.SIGINT)
        done.append("all")
    assert done == ["all"]


def test_who_asks_twice_does_not_wait() -> None:
    with pytest.raises(KeyboardInterrupt), held():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        pytest.fail("it went on")


def test_a_ctrl_c_that_a_library_made_another_error_of(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Interrupted:
        def __set_name__(self, owner: type, name: str) -> None:
            raise KeyboardInterrupt

    def application() -> typer.Typer:
        type("Loaded", (), {"member": Interrupted()})
        pytest.fail("it went on")

    monkeypatch.setattr(main, "application", application)
    assert main.outcome(["cases"]) == 130
    assert "Stopped." in capsys.readouterr().err


def test_a_command_that_is_interrupted_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted() -> None:
        signal.raise_signal(signal.SIGINT)

    def application() -> typer.Typer:
        app = typer.Typer()
        app.command("add")(interrupted)
        app.command("other")(lambda: None)
        return app

    monkeypatch.setattr(main, "application", application)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # test runners ignore it
    try:
        assert main.outcome(["add"]) == 130
    finally:
        signal.signal(signal.SIGINT, before)
    assert "Stopped." in capsys.readouterr().err


def test_another_error_is_not_taken_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def application() -> typer.Typer:
        raise RuntimeError("broken")

    monkeypatch.setattr(main, "application", application)
    with pytest.raises(RuntimeError, match="broken"):
        main.outcome(["cases"])
