# SPDX-License-Identifier: Apache-2.0
"""What all benchmarks share: running a command and watching it, percentiles, and the report."""

import argparse
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
CACHE = Path(os.environ.get("LOCARD_BENCH_CACHE") or "~/.cache/locard-bench").expanduser()
PEEK_SECONDS = 0.5


@dataclass(slots=True)
class Run:
    """How a command went."""

    seconds: float
    peak: int
    """Most memory of the command and all that it started, bytes: the sum of their proportional
    set sizes (a page that two processes share counts half for each), sampled."""
    stdout: str
    marks: dict[str, float] = field(default_factory=dict)
    """Seconds after the start at which something was first seen."""


def run(
    command: list[str],
    *,
    environment: dict[str, str] | None = None,
    folder: Path | None = None,
    watch: Callable[[str], str | None] | None = None,
    check: bool = True,
) -> Run:
    """Run a command to its end. Raises `SystemExit` with its last words when it fails.

    `watch` is called over and over meanwhile with what the command has written to standard error;
    the first time that it answers a name, the moment is kept in `marks`. All that the command
    starts is found by `LOCARD_BENCH` in the environment, so a detached store is counted too; what
    is left of it is asked to end afterwards.
    """
    badge = f"{os.getpid()}-{time.time_ns()}"
    environment = {**os.environ, **(environment or {}), "LOCARD_BENCH": badge}
    marks: dict[str, float] = {}
    peak = 0
    with tempfile.TemporaryFile("w+") as out, tempfile.NamedTemporaryFile("w+") as err:
        started = time.perf_counter()
        process = subprocess.Popen(command, stdout=out, stderr=err, env=environment, cwd=folder)
        done = threading.Event()

        def look() -> None:
            nonlocal peak
            while not done.wait(PEEK_SECONDS):
                peak = max(peak, sum(proportional(pid) for pid in family(badge)))

        watcher = threading.Thread(target=look, daemon=True)
        watcher.start()
        while True:
            try:
                process.wait(0.05 if watch else None)
                break
            except subprocess.TimeoutExpired:
                words = Path(err.name).read_text(errors="replace")
                name = watch(words) if watch else None
                if name and name not in marks:
                    marks[name] = time.perf_counter() - started
        seconds = time.perf_counter() - started
        done.set()
        watcher.join()
        out.seek(0)
        err.seek(0)
        text, words = out.read(), err.read()
    for pid in list(family(badge)):
        stop(pid)
    if check and process.returncode != 0:
        raise SystemExit(f"{' '.join(command)}\nended with {process.returncode}:\n{words[-3000:]}")
    return Run(seconds, peak, text, marks)


def family(badge: str) -> Iterator[int]:
    """The processes whose environment carries this badge. We started them all."""
    wanted = f"LOCARD_BENCH={badge}".encode()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                found = wanted in (entry / "environ").read_bytes().split(b"\0")
            except OSError:
                continue
            if found:
                yield int(entry.name)


def proportional(pid: int) -> int:
    """Memory of a process in bytes (PSS where the kernel tells it, else RSS); 0 when it is gone."""
    for name, wanted in (("smaps_rollup", "Pss:"), ("status", "VmRSS:")):
        try:
            for line in Path(f"/proc/{pid}/{name}").read_text().splitlines():
                if line.startswith(wanted):
                    return int(line.split()[1]) * 1024
        except OSError:
            continue
    return 0


def stop(pid: int, patience: float = 20.0) -> None:
    """Ask a process that we started to end, and wait until it has."""
    try:
        os.kill(pid, signal.SIGTERM)
        until = time.monotonic() + patience
        while time.monotonic() < until and Path(f"/proc/{pid}/cmdline").read_bytes():
            time.sleep(0.05)
    except (ProcessLookupError, FileNotFoundError):
        return


def store_of(timeline: Path) -> int:
    """The process that owns a timeline's folder."""
    return int(json.loads((timeline / "store.json").read_text())["pid"])


def highest(pid: int) -> int:
    """The most memory that a process has ever had resident, bytes."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0


def locard(*arguments: str) -> list[str]:
    """The command line of our own product, from this checkout."""
    script = Path(sys.executable).parent / "locard"
    if script.exists():
        return [str(script), *arguments]
    return [sys.executable, "-c", "from locard.cli.main import run; run()", *arguments]


def plaso() -> Path:
    """The `bin` folder of a virtual environment with Plaso, made from the hashed lock when new."""
    lock = REPOSITORY / "requirements" / "bench.lock.txt"
    home = CACHE / "plaso"
    stamp = home / "made-from.txt"
    if not stamp.exists() or stamp.read_bytes() != lock.read_bytes():
        say(f"Making an environment for Plaso in {home} (once).")
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(home)], check=True)
        pip = [str(home / "bin" / "python"), "-m", "pip", "install", "--quiet"]
        subprocess.run([*pip, "--require-hashes", "-r", str(lock)], check=True)
        stamp.write_bytes(lock.read_bytes())
    return home / "bin"


@contextmanager
def scratch(keep: str | None = None) -> Iterator[Path]:
    """A folder for the run, removed afterwards unless it was named."""
    if keep:
        folder = Path(keep).absolute()
        folder.mkdir(parents=True, exist_ok=True)
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="locard-bench-") as name:
        yield Path(name)


def percentile(values: list[float], share: float) -> float:
    """The value that `share` of the values do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, -(-int(len(ordered) * share * 1000) // 1000) - 1)]


def machine() -> str:
    """The machine, in a few words."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores, {memory:.0f} GiB, Python {platform.python_version()}"


def commit() -> str:
    """The commit that is measured; `+` when files differ from it."""
    git = ["git", "-C", str(REPOSITORY)]
    name = subprocess.run(
        [*git, "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    changed = subprocess.run([*git, "diff", "--quiet", "HEAD"], check=False).returncode
    return (name or "unknown") + ("+" if changed else "")


def say(text: str) -> None:
    """Tell the person what is going on, apart from the figures."""
    print(text, file=sys.stderr, flush=True)


class Report:
    """Figures of one benchmark: printed as a table, and appended to FIGURES.md when asked to."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.rows: list[tuple[str, str, str]] = []
        self.data: dict[str, object] = {}

    def add(self, what: str, figure: str, against: str = "", **data: object) -> None:
        """Append a figure with what it stands beside."""
        self.rows.append((what, figure, against))
        self.data.update(data)
        say(f"  {what}: {figure} {against}")

    def text(self) -> str:
        """The report as Markdown."""
        lines = [
            f"## {self.title}",
            "",
            f"At {commit()}, {time.strftime('%Y-%m-%d', time.gmtime())}, {machine()}, "
            f"load {os.getloadavg()[0]:.1f} at the end.",
            "",
            "| what | figure | against |",
            "|---|---|---|",
            *(f"| {' | '.join(row)} |" for row in self.rows),
            "",
        ]
        return "\n".join(lines)

    def finish(self, options: argparse.Namespace) -> None:
        """Print it as asked for."""
        if options.json:
            print(json.dumps({"title": self.title, "commit": commit(), **self.data}))
        else:
            print(self.text())
        if options.record:
            with (REPOSITORY / "bench" / "FIGURES.md").open("a", encoding="utf-8") as file:
                file.write("\n" + self.text())


def options(description: str | None) -> argparse.ArgumentParser:
    """A parser with the options that all benchmarks have."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="print the figures as one JSON object")
    parser.add_argument("--record", action="store_true", help="append the report to FIGURES.md")
    parser.add_argument("--folder", help="work here and keep what is made (default: temporary)")
    return parser
