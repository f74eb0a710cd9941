# SPDX-License-Identifier: Apache-2.0
"""Copying a snapshot through the EBS direct API into the vault, beside downloading it to nowhere.

A server on loopback, a process of its own, answers as EBS does for an image file of random bytes.
The same client, with as many requests at once, first downloads every block and throws it away, then
copies: each block held against its checksum, kept for a run that is carried on, hashed twice and
written into a vault. Aim: the copy reaches 90 % of the throw-away, with hashing and writing hidden
behind the network. So it is measured behind one: the server lets only so many bytes a second through
(`--network`). On bare loopback, which is told beside it, the server takes a share of the same cores
and nothing is there to hide behind.
"""

import os
import subprocess
import sys
import time
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from measuring import REPOSITORY, Report, options, say, scratch

from locard.actions.collect.aws import blocks
from locard.actions.collect.aws.blocks import AHEAD, Snapshot
from locard.cases.desk import Desk
from locard.model.evidence import Origin
from locard.providers.aws.session import Cloud
from locard.settings import Settings

sys.path.insert(0, str(REPOSITORY))
from tests.servers.running import free_ports

MIB = 1 << 20


def made(path: Path, size: int) -> Path:
    """An image of random bytes, a third of it never written, as disks are."""
    with path.open("wb") as file:
        at = 0
        while at < size:
            if at % (96 * MIB) < 64 * MIB:
                file.seek(at)
                file.write(os.urandom(min(MIB, size - at)))
            at += MIB
        file.truncate(size)
    return path


def served(image: Path, rate: int) -> tuple[subprocess.Popen[bytes], str]:
    """The server as a process of its own, once it knows every checksum; `rate` in MB a second."""
    (port,) = free_ports(1)
    words = [sys.executable, "-m", "tests.clouds.aws.ebs", str(port), str(image), str(rate)]
    process = subprocess.Popen(words, cwd=REPOSITORY)
    address = f"http://127.0.0.1:{port}"
    until = time.monotonic() + 120
    while True:
        try:
            client(address).call("ebs:ListSnapshotBlocks", SnapshotId="snap-bench", MaxResults=100)
            return process, address
        except Exception:
            if time.monotonic() > until or process.poll() is not None:
                raise
            time.sleep(0.2)


def client(address: str) -> Cloud:
    """A session at it."""
    os.environ.update(AWS_ACCESS_KEY_ID="bench", AWS_SECRET_ACCESS_KEY="bench")
    return Cloud("123456789012", "eu-central-1", "bench", endpoint=address)


def discarded(cloud: Cloud) -> tuple[int, float]:
    """Download every block and throw it away; bytes and seconds."""

    def one(index: int, token: str) -> int:
        found = cloud.answer(
            "ebs:GetSnapshotBlock", SnapshotId="snap-bench", BlockIndex=index, BlockToken=token
        )
        return len(found["BlockData"].read())

    began, total = time.monotonic(), 0
    flying: deque[Future[int]] = deque()
    with ThreadPoolExecutor(AHEAD) as pool:
        for page in blocks.listed(cloud, "snap-bench"):
            for index, token in page.tokens.items():
                flying.append(pool.submit(one, index, token))
                if len(flying) >= AHEAD:
                    total += flying.popleft().result()
        total += sum(each.result() for each in flying)
    return total, time.monotonic() - began


def copied(cloud: Cloud, folder: Path, image: Path) -> float:
    """Copy it into a vault; seconds. Exits when the copy is not the image."""
    folder.mkdir()
    room = folder / "room"
    room.mkdir()
    desk = Desk(Settings(home=folder / "home", workers=1))
    desk.vault.prepare()
    began = time.monotonic()
    disk = Snapshot(cloud, "snap-bench", room)
    put = desk.vault.put(disk, Origin(name="disk.raw"), case="bench", actor="bench", reason="bench")
    desk.vault.settle()
    seconds = time.monotonic() - began
    whole = put.evidence.size == image.stat().st_size
    who = {"case": "bench", "actor": "bench", "reason": "bench"}
    with desk.vault.open(put.evidence.id, **who) as ours, image.open("rb") as theirs:
        while whole and (data := theirs.read(8 * MIB)):
            whole = ours.read(8 * MIB) == data
    desk.close()
    if not whole:
        raise SystemExit("The copy is not the image.")
    return seconds


def compared(report: Report, folder: Path, image: Path, rate: int, rounds: int) -> None:
    """Both ways behind a network of `rate` MB a second (0: loopback), the best of some rounds."""
    process, address = served(image, rate)
    try:
        away, copy, total = [], [], 0
        for number in range(rounds):
            total, seconds = discarded(client(address))
            away.append(seconds)
            copy.append(copied(client(address), folder / f"copy-{rate}-{number}", image))
    finally:
        process.terminate()
        process.wait(20)
    best, ours = min(away), min(copy)
    where = f"network of {rate:,} MB/s" if rate else "loopback"
    aim = "aim: >= 90" if rate else "no network to hide behind"
    report.add(f"{where}: thrown away", f"{total / best / 1e6:,.0f} MB/s", f"{best:.1f} s")
    report.add(f"{where}: into the vault", f"{total / ours / 1e6:,.0f} MB/s", f"{ours:.1f} s")
    report.add(f"{where}: share", f"{100 * best / ours:.0f} %", aim, share=best / ours)


def main() -> None:
    """The command line."""
    parser = options(__doc__)
    parser.add_argument("--mib", type=int, default=2048, help="size of the image (default: 2048)")
    parser.add_argument("--rounds", type=int, default=2, help="how often each is done (default: 2)")
    parser.add_argument(
        "--network", type=int, nargs="*", default=[125, 0],
        help="MB a second, 0 for bare loopback (default: 125, which is 1 Gbit/s, and 0)",
    )  # fmt: skip
    given = parser.parse_args()
    report = Report(f"Copying a snapshot of {given.mib:,} MiB")
    with scratch(given.folder) as folder:
        say("Making the image.")
        image = made(folder / "image.raw", -(-given.mib // 1024) * 1024 * MIB)
        for rate in given.network:
            compared(report, folder, image, rate, given.rounds)
    report.finish(given)


if __name__ == "__main__":
    main()
