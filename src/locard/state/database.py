# SPDX-License-Identifier: Apache-2.0
"""The small records that change: one SQLite file through SQLAlchemy, migrated by Alembic.

Evidence and events never live here, only what people and jobs say about them.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import DeclarativeBase, Session

from locard.model.errors import Storage

if TYPE_CHECKING:
    from alembic.config import Config

# Alembic is imported where a state file is made or migrated: that takes a tenth of a second, which
# every command would wait for.

ROOM = 1 << 16
"""Bytes that SQLite needs beside the file to read it, and some to write."""
MIGRATIONS = Path(__file__).parent / "migrations"


class Table(DeclarativeBase):
    """Base of every table; `Table.metadata` is the schema that the migrations must reach."""


class State:
    """An open state file. Sessions are short: one unit of work, committed or rolled back."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @contextmanager
    def session(self, *, alone: bool = False) -> Iterator[Session]:
        """A transaction that commits on leaving and rolls back on an error.

        `alone` keeps every other writer out from the first statement on: for work that looks
        whether a record is there and makes it when it is not, which another process may do too.
        """
        session = Session(self.engine, expire_on_commit=False)
        try:
            with session.begin():
                if alone:
                    session.execute(text("BEGIN IMMEDIATE"))
                yield session
        except OperationalError as error:
            raise _explained(error, Path(str(self.engine.url.database))) from error
        finally:
            session.close()

    def close(self) -> None:
        """Release the file."""
        self.engine.dispose()


def open_state(path: Path) -> State:
    """Open the state file, making or migrating it first.

    Raises `Storage` when the folder cannot be written or the disk is full.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise Storage(
            f"The folder {path.parent} cannot be made: {error.strerror}.",
            "Set LOCARD_HOME to a folder that you may write.",
        ) from error
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": 30})
    event.listen(engine, "connect", _prepare)
    try:
        with _first_come(path):
            _migrate(engine)
    except OperationalError as error:
        engine.dispose()
        raise _explained(error, path) from error
    path.chmod(0o600)
    return State(engine)


@contextmanager
def _first_come(path: Path) -> Iterator[None]:
    """Of processes that open a new state file at once, one makes the tables; the others wait."""
    try:
        lock = path.with_suffix(".lock").open("a")
    except OSError as error:
        raise Storage(
            f"The folder {path.parent} cannot be written: {error.strerror}.",
            "Free space or make it writable, or set LOCARD_HOME to another folder.",
        ) from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _prepare(connection: Any, _record: Any) -> None:
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _migrate(engine: Engine) -> None:
    with engine.connect() as connection:
        known = connection.execute(
            text("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'")
        ).scalar()
        current = (
            connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
            if known
            else None
        )
        if current == newest():
            return
        from alembic import command
        from alembic.util import CommandError

        config = migrations()
        config.attributes["connection"] = connection
        try:
            with _whole(connection):
                command.upgrade(config, "head")
        except CommandError as error:
            raise Storage(
                f"The state file is of another version of Locard ({current}).",
                "Use the version that wrote it, or a newer one.",
            ) from error


@contextmanager
def _whole(connection: Connection) -> Iterator[None]:
    """All statements take effect, or none when the process is killed amid them.

    By itself Python's driver commits each statement that makes a table.
    """
    driver: Any = connection.connection.driver_connection
    before, driver.isolation_level = driver.isolation_level, None
    try:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        yield
        connection.commit()
    finally:
        connection.rollback()
        driver.isolation_level = before


def newest() -> str:
    """The version of the schema that the migrations reach: their files begin with theirs."""
    return max(path.name.partition("_")[0] for path in MIGRATIONS.glob("versions/[0-9]*_*.py"))


def migrations() -> "Config":
    """The Alembic configuration of this package."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    return config


def _explained(error: OperationalError, path: Path) -> Storage:
    reason = str(error.orig)
    unsaid = "I/O" in reason or "unable to open" in reason
    if "full" in reason or (unsaid and _no_room(path.parent)):
        return Storage(
            f"The disk of the state file {path} is full.",
            "Free some space and run the same command again; nothing that was recorded is lost.",
        )
    return Storage(
        f"The state file {path} cannot be used: {reason}.",
        "Check that LOCARD_HOME is writable and not used by another version of Locard.",
    )


def _no_room(folder: Path) -> bool:
    """Whether a disk has no room for what SQLite keeps beside a file: it only says that it could
    not write."""
    try:
        found = os.statvfs(folder)
    except OSError:
        return False
    return found.f_bavail * found.f_frsize < ROOM or (found.f_files > 0 and not found.f_favail)
