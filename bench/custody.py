# SPDX-License-Identifier: Apache-2.0
"""The custody ledger up to a million entries: adding to it, verifying all of it, proving one entry.

Entries are made and signed by the ledger itself: one in ten takes a new piece of evidence in, with
the whole record of its exhibit, the others are about evidence that is held. Adding is timed one
entry at a time in a ledger of each size, without waiting for the disk, as the vault does it.
Verifying from scratch is `verify_ledger` on all cores over every clause. Floor: the Ed25519
signatures of as many entries verified by as many processes, with nothing around them, measured
before and after. It is judged by the time of processors, which other work on the machine hardly
changes. Aims: adding at a million entries costs what it costs at a thousand; verification within
1.5 times its floor; the proof of one exhibit in under 50 ms.
"""

import resource
import shutil
import subprocess
import sys
import time
from itertools import islice
from pathlib import Path

from measuring import Report, options, percentile, say, scratch

from locard.evidence.entries import Draft
from locard.evidence.ledger import Ledger
from locard.evidence.signing import FileSigner
from locard.evidence.tool import this_clock, this_tool
from locard.model.custody import Exhibit, Hand, Method, Operator, Span, Storage, Verb
from locard_verify import dsse
from locard_verify.keys import Key, read_key
from locard_verify.ledger import verify_ledger
from locard_verify.stretches import cores

ANA = Hand("ana", "page", "192.0.2.7", "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101")
BATCH = 5_000
TIMED, PROOFS = 300, 100
SHARE = 100_000
"""Signatures that each process verifies for the floor."""


def draft(number: int) -> Draft:
    """An entry: every tenth takes new evidence in."""
    taken, evidence = number % 10 == 0, f"{number // 10:064x}"

    def exhibit(name: str, _above: str) -> Exhibit:
        return Exhibit(
            number=name, case="bench", evidence=evidence, blake2b="b" * 64, size=number,
            hash_point="as the bytes came into the vault",
            covers="every byte that was read from the source",
            source={"path": f"/evidence/host-{number % 97}/var/log/auth.log.{number}"},
            method=Method("add.file", "0.1.0", "as found"), tool=this_tool(),
            operator=Operator("ana", "command line", "ana@host"), clocks=this_clock(),
            storage=Storage("folder", f"objects/{evidence[:2]}/{evidence[2:]}"),
            time=Span("2026-11-26T16:00:00.000000000Z", "2026-11-26T16:00:01.000000000Z"),
        )  # fmt: skip

    verb = Verb.ACQUIRED if taken else (Verb.OPENED, Verb.VIEWED, Verb.VERIFIED)[number % 3]
    details = {"name": f"auth.log.{number}", "size": str(number)} if taken else {}
    reason = "added to the case" if taken else f"looked at events {number}"
    return Draft(ANA, verb, evidence, "bench", reason, details, exhibit if taken else None)


def opened(home: Path) -> Ledger:
    """The ledger in `home`, as a process finds it that has just begun."""
    return Ledger(home / "ledger", FileSigner(home / "keys" / "ledger.pem"), home / "trusted.vkey")


def fill(ledger: Ledger, size: int) -> float:
    """Grow the ledger to `size` entries; entries a second."""
    begun, first = time.perf_counter(), ledger.size()
    while (now := ledger.size()) < size:
        count = min(BATCH, size - now)
        ledger.append([draft(now + n) for n in range(count)], durable=False)
    return (size - first) / (time.perf_counter() - begun)


def adding(report: Report, home: Path, sizes: list[int]) -> None:
    """Adding one entry to ledgers of these sizes."""
    first = 0.0
    for size in sizes:
        ledger = opened(home)
        rate = fill(ledger, size)
        ledger.settle()
        ledger.close()
        ledger = opened(home)
        begun = time.perf_counter()
        ledger.append([draft(size)], durable=False)
        fresh = (time.perf_counter() - begun) * 1000
        times = []
        for number in range(1, TIMED):
            begun = time.perf_counter()
            ledger.append([draft(size + number)], durable=False)
            times.append((time.perf_counter() - begun) * 1000)
        ledger.close()
        p50 = percentile(times, 0.5)
        first = first or p50
        report.add(
            f"one entry more in {size:,}",
            f"p50 {p50:.2f} ms, p95 {percentile(times, 0.95):.2f} ms",
            f"{p50 / first:.1f} x that at {sizes[0]:,}; the first of a new process {fresh:.0f} ms; "
            f"{rate:,.0f} entries/s in batches of {BATCH:,}",
            **{f"append {size}": {"p50": p50, "fresh": fresh, "batched": rate}},
        )


def proving(report: Report, home: Path, size: int) -> None:
    """The proof of one exhibit, each in a ledger that was just opened and in one that is open."""
    cold, warm = [], []
    for number in range(PROOFS):
        begun = time.perf_counter()
        ledger = opened(home)
        sequence = ledger.made("bench", f"{number * 317 % (size // 10) + 1:064x}")
        assert sequence is not None
        ledger.proof(sequence)
        cold.append((time.perf_counter() - begun) * 1000)
        begun = time.perf_counter()
        ledger.proof(sequence + 1)
        warm.append((time.perf_counter() - begun) * 1000)
        ledger.close()
    p50, p95 = percentile(cold, 0.5), percentile(cold, 0.95)
    report.add(
        "proof of one exhibit",
        f"p50 {p50:.1f} ms, p95 {p95:.1f} ms, slowest {max(cold):.1f} ms",
        f"aim: p95 < 50 ms, {'met' if p95 < 50 else 'MISSED'}; {percentile(warm, 0.5):.1f} ms in a "
        "ledger that is open",
        proof={"p50": p50, "p95": p95, "slowest": max(cold)},
    )


def floor(home: Path, size: int, processes: int) -> tuple[float, float]:
    """What the signatures of `size` entries cost alone: seconds by the clock, and of processors."""
    command = [sys.executable, __file__, "--signatures", str(home), str(SHARE)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(processes)]
    took = [[float(one) for one in child.communicate()[0].split()] for child in running]
    rate = sum(SHARE / clock for clock, _ in took)
    busy = sum(cpu for _, cpu in took) / (SHARE * processes)
    say(f"    {rate:,.0f} signatures/s on {processes}, {1 / busy:,.0f} in a second of one core")
    return size / rate, size * busy


def signatures(home: Path, count: int) -> None:
    """Verify signatures that are in memory already, and print what it took."""
    key: Key = read_key((home / "trusted.vkey").read_text())
    with (home / "ledger" / "entries").open("rb") as file:
        found = [dsse.read_line(line[:-1]) for line in islice(file, 2_000)]
    ready = [(dsse.pae(one.payload), one.signature) for one in found]
    clock, cpu = time.perf_counter(), time.process_time()
    for n in range(count):
        if not key.signed(*ready[n % len(ready)]):
            raise SystemExit("a signature does not hold")
    print(time.perf_counter() - clock, time.process_time() - cpu)


def busy() -> float:
    """Seconds of processors that this process and those that it waited for have taken."""
    ours = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in ours)


def verifying(report: Report, home: Path) -> None:
    """The whole verification beside its floor."""
    size, processes = opened(home).size(), cores()
    keys = [read_key((home / "trusted.vkey").read_text())]
    before = floor(home, size, processes)
    clock, cpu = time.perf_counter(), busy()
    verdict = verify_ledger(home / "ledger", keys)
    took, spent = time.perf_counter() - clock, busy() - cpu
    assert verdict.passed, verdict
    after = floor(home, size, processes)
    least, cheapest = ((one + other) / 2 for one, other in zip(before, after, strict=True))
    ratio = spent / cheapest
    report.add(
        f"verifying {size:,} entries", f"{spent:.0f} s of processors, {took:.0f} s by the clock",
        f"floor (signatures alone): {cheapest:.0f} s and {least:.0f} s on {processes} cores; "
        f"{ratio:.2f} x of processors, aim 1.5, {'met' if ratio <= 1.5 else 'MISSED'}; "
        f"{took / least:.2f} x by the clock",
        verify={"seconds": took, "cpu": spent, "floor": least, "cpu floor": cheapest},
    )  # fmt: skip


def main() -> None:
    """The command line."""
    if sys.argv[1:2] == ["--signatures"]:
        signatures(Path(sys.argv[2]), int(sys.argv[3]))
        return
    parser = options(__doc__)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument(
        "--reuse", action="store_true", help="with --folder: the ledger is there already"
    )
    given = parser.parse_args()
    sizes = [size for size in (1_000, 10_000, 100_000) if size < given.entries] + [given.entries]
    report = Report(f"Custody ledger of {given.entries:,} entries")
    with scratch(given.folder) as folder:
        home = folder / "custody"
        if given.reuse:
            sizes = [opened(home).size()]
        else:
            shutil.rmtree(home, ignore_errors=True)
            home.mkdir(parents=True)
        adding(report, home, sizes)
        proving(report, home, given.entries)
        verifying(report, home)
        entries = (home / "ledger" / "entries").stat().st_size
        rest = sum(path.stat().st_size for path in (home / "ledger").rglob("*") if path.is_file())
        report.add("on disk", f"{entries / 2**20:,.0f} MiB of entries",
                   f"{(rest - entries) / 2**20:,.0f} MiB of hashes, index and checkpoints")  # fmt: skip
    report.finish(given)


if __name__ == "__main__":
    main()
