# SPDX-License-Identifier: Apache-2.0
"""A state file that an earlier version wrote is brought up, and people can do what they could."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

from locard.model.access import Permission, Scope
from locard.state import grants, playbooks, tokens
from locard.state.database import migrations, newest, open_state
from locard.state.sessions import digest


def before_roles(path: Path) -> None:
    """A state file as it was before roles were granted, with two people and a token."""
    engine = create_engine(f"sqlite:///{path}")
    config = migrations()
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")
        for name, role in (("ada", "admin"), ("bob", "analyst")):
            connection.execute(
                text(
                    "INSERT INTO users (username, name, role, password, disabled, created, "
                    "preferences) VALUES (:name, '', :role, '', 0, 1, '{}')"
                ),
                {"name": name, "role": role},
            )
        connection.execute(
            text(
                "INSERT INTO tokens (user, name, hash, created, ends) "
                "VALUES (2, 'old', :hash, 1, 9000000000000000000)"
            ),
            {"hash": digest("secret")},
        )
        connection.commit()
    engine.dispose()


def test_the_newest_version_is_the_head_of_the_migrations() -> None:
    assert newest() == ScriptDirectory.from_config(migrations()).get_current_head()


_KILLED = """
import os, signal, sys
from pathlib import Path
from sqlalchemy import Engine, event
from locard.state.database import open_state

left = int(sys.argv[2])

@event.listens_for(Engine, "before_cursor_execute")
def count(*_):
    global left
    left -= 1
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)

open_state(Path(sys.argv[1]))
"""


@pytest.mark.parametrize("statement", [4, 9, 20, 40])
def test_killed_amid_its_making_a_state_file_is_made_all_the_same(
    tmp_path: Path, statement: int
) -> None:
    path = tmp_path / "state.sqlite"
    words = [sys.executable, "-c", _KILLED, str(path), str(statement)]
    assert subprocess.run(words, check=False).returncode == -signal.SIGKILL
    state = open_state(path)
    with state.session() as session:
        assert session.execute(text("SELECT count(*) FROM holdings")).scalar() == 0
    state.close()


def test_who_could_do_what_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    before_roles(path)
    state = open_state(path)
    with state.session() as s:
        ada, bob = grants.access(s, "ada"), grants.access(s, "bob")
        assert ada.may(Permission.PEOPLE) and ada.may(Permission.ACQUIRE, "any")
        assert bob.may(Permission.ACQUIRE, "any") and bob.anywhere(Permission.MAKE_CASE)
        assert not bob.may(Permission.PEOPLE) and not bob.may(Permission.GRANT, "any")
        assert {one.by for one in grants.every(s)} == {"migration"}
        found = tokens.shown_by(s, "secret")
        assert found is not None and found[1].scope is Scope.WRITE and found[1].case == ""
    state.close()


def test_it_can_be_taken_back(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    before_roles(path)
    open_state(path).close()
    engine = create_engine(f"sqlite:///{path}")
    config = migrations()
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0002")
        found = connection.execute(text("SELECT username, role FROM users ORDER BY id")).all()
    engine.dispose()
    assert found == [("ada", "admin"), ("bob", "analyst")]


def test_what_waited_asks_again_and_who_agreed_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    engine, config = create_engine(f"sqlite:///{path}"), migrations()
    run = "'t', 'd', '', 'a-1', 'c', 'q', '{}', 'always', 2, 5, '', 1, NULL, 0, 0, 0, ''"
    rows = [
        ("cases", "'c', '', 1, 'ana', 0"),
        ("alerts", "'a-1', 'c', '', 's', 'o', 'k', 'high', 't', 1, '', '', '[]', 'open', '', "
         "'{}', '[]', '[]', 1, 1, 1, 'ana', '', 1"),
        ("playbook_runs", f"'p1', 'p1', {run.format('waiting')}"),
        ("playbook_runs", f"'p2', 'p2', {run.format('done')}"),
        ("approvals", "'p1', 'ben', 1, 'yes', 7, 'page'"),
    ]  # fmt: skip
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0008")
        for table, values in rows:
            connection.execute(text(f"INSERT INTO {table} VALUES ({values})"))
        connection.commit()
    engine.dispose()
    state = open_state(path)
    with state.session() as session:
        waited, done = (playbooks.run(session, playbooks.row(session, n)) for n in ("p1", "p2"))
    state.close()
    assert (waited.state.value, waited.round, waited.agreed) == ("due", 2, 0)
    assert [(one.who, one.round, one.reason) for one in waited.approvals] == [("ben", 1, "yes")]
    assert (done.state.value, done.round) == ("done", 1)
    with create_engine(f"sqlite:///{path}").connect() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0008")
        kept = connection.execute(text("SELECT who, reason FROM approvals")).all()
    assert kept == [("ben", "yes")]


def test_the_tables_are_what_the_migrations_make(tmp_path: Path) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from locard.state.tables import Table

    state = open_state(tmp_path / "state.sqlite")
    with state.engine.connect() as connection:
        found = compare_metadata(MigrationContext.configure(connection), Table.metadata)
    state.close()
    assert found == []
