# SPDX-License-Identifier: Apache-2.0
"""What a shell in a container is asked, and how its answer is read.

A container often has little more than a shell. So what the shell itself can do is asked of it, and
every file comes as base64 (or, without that, as hex digits), for a terminal changes bytes. Nothing
is written in the container. What it says is its own word: it is read within limits, and what does
not fit is told.
"""

import re
from base64 import b64decode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from locard.model.errors import Error, Missing, Tampered

LINE = 64 << 10
"""Bytes of one line, at most; encoders write 76 characters."""
NOISE = 64 << 10
"""Bytes before the answer begins, such as a greeting, at most."""
PATH = re.compile(r"/[^'\"\\$`\x00-\x1f\x7f]{0,1000}")
"""A path that stands between double quotes of a shell as it is."""

_BEGIN = """exec 2>/dev/null
if command -v base64 >/dev/null; then e=base64
elif command -v od >/dev/null; then e=od
else echo "@no-encoder {nonce}"; exit 0; fi
x() {{ if [ $e = od ]; then od -An -v -tx1; else base64; fi; }}
r() {{ if [ -r "$2" ]; then echo "@ $1"; x < "$2"; else echo "@! $1"; fi; }}
echo "@begin {nonce} $e"
"""
_LIVE = """cd /proc || exit 0
for f in stat uptime version sys/kernel/hostname self/mountinfo net/tcp net/tcp6 net/udp net/udp6
do r $f $f; done
for p in [0-9]*; do
[ $p = $$ ] && continue
for f in stat status cmdline; do r $p/$f $p/$f; done
echo "@ $p/environ"; {environ} < $p/environ | x
echo "@ $p/links"; ls -l $p/exe $p/cwd $p/root $p/fd/ | x
done
"""
_NAMES = r'tr "\n\000" " \n" < $p/environ | sed "/^LD_/!s/=.*/=/"'
_FILES = """if command -v tar >/dev/null; then echo "@ tar"; tar -cf - {paths} | x
else {each}
fi
"""
_BEAT = """while sleep 9; do echo "@~"; done &
h=$!
"""
"""Says that it is still at work, while tar or curl have nothing to say."""
_MEASURE = """for t in tar curl sha256sum wc
do command -v $t >/dev/null || echo "@! tool:$t"; done
echo "@ sum"; tar -cf - {paths} | sha256sum | x
echo "@ size"; tar -cf - {paths} | wc -c | x
kill $h
"""
_UPLOAD = """tar -cf - {paths} | curl -fsS -X PUT -T - -H "Transfer-Encoding:" \
-H "Content-Length: {size}" -H "x-amz-checksum-sha256: {digest}" -H "If-None-Match: *" \
-o /dev/null "{address}"; s=$?
echo "@ curl"; echo $s | x
kill $h
"""


def live(nonce: str, *, values: bool) -> str:
    """The command that tells of processes, connections and mounts.

    `values`: those of environment variables too, and not their names alone.
    """
    script = _LIVE.replace(
        "{environ} < $p/environ | x", "x < $p/environ" if values else f"{_NAMES} | x"
    )
    return _command(nonce, script)


def files(nonce: str, paths: Iterable[str]) -> str:
    """The command that gives files: one tar of them all, or without tar each by itself."""
    named = list(paths)
    there = "".join(f'[ -e "{one}" ] || echo "@! {n}"\n' for n, one in enumerate(named))
    each = "\n".join(
        f'if [ -f "{one}" ]; then r {n} "{one}"; else echo "@! {n}"; fi'
        for n, one in enumerate(named)
    )
    return _command(nonce, there + _FILES.format(paths=_quoted(named), each=each))


def measure(nonce: str, paths: Iterable[str]) -> str:
    """The command that says how long the tar of the paths is, and its SHA-256."""
    named = list(paths)
    there = "".join(f'[ -e "{one}" ] || echo "@! {n}"\n' for n, one in enumerate(named))
    return _command(nonce, there + _BEAT + _MEASURE.format(paths=_quoted(named)))


def upload(nonce: str, paths: Iterable[str], size: int, digest: str, address: str) -> str:
    """The command that sends the tar of the paths to an address, and says how that went."""
    if not re.fullmatch(r"https?://[\w./:@?&=%+~-]+", address):
        raise Error("The address to upload to cannot stand in a command.", "Nothing was sent.")
    script = _UPLOAD.format(paths=_quoted(paths), size=size, digest=digest, address=address)
    return _command(nonce, _BEAT + script)


def _quoted(paths: Iterable[str]) -> str:
    return " ".join(f'"{one}"' for one in paths)


def _command(nonce: str, script: str) -> str:
    whole = f'{_BEGIN.format(nonce=nonce)}{script}echo "@end {nonce}"'
    assert "'" not in whole and "{{" not in whole  # it stands between quotes; SSM fills in braces
    return f"/bin/sh -c '{whole}'"


@dataclass
class Answer:
    """What came: file by file, each as a stream that has to be read before the next."""

    chunks: Iterable[bytes]
    nonce: str
    where: str
    """The container, for sentences."""
    lost: list[str] = field(default_factory=list)
    """What the container did not give, by the names that were asked for."""
    spoiled: int = 0
    """Lines that are nothing that an encoder writes."""
    ended: bool = False

    def files(self) -> Iterator[tuple[str, Iterator[bytes]]]:
        """Each file with its bytes. Raises `Missing` where nothing can be asked of the container,
        and `Tampered` when the answer breaks off."""
        lines = self._lines()
        encoder = self._begin(lines)
        held: list[str] = []
        line = next(lines, None)
        while line is not None:
            if line == f"@end {self.nonce}":
                self.ended = True
                return
            if line.startswith("@ "):
                yield line[2:], self._bytes(lines, encoder, held)
                line = held.pop() if held else None
                continue
            if line.startswith("@! "):
                self.lost.append(line[3:])
            elif line and line != "@~":
                self.spoiled += 1
            line = next(lines, None)
        raise Tampered(
            f"The answer of {self.where} breaks off.",
            "Its shell was ended. Carry the run on; if it happens again, suspect what runs there.",
        )

    def _begin(self, lines: Iterator[str]) -> str:
        """The encoder that the shell found."""
        noise = 0
        for line in lines:
            noise += len(line)
            if line == f"@no-encoder {self.nonce}":
                raise Missing(
                    f"{self.where} has neither base64 nor od: its files cannot come through a "
                    "terminal.",
                    "Take the task's host instead where there is one, or what its image has.",
                )
            found = re.fullmatch(rf"@begin {self.nonce} (base64|od)", line)
            if found:
                return found[1]
            if noise > NOISE:
                break
        raise Missing(
            f"{self.where} has no shell that answers at /bin/sh: nothing can be asked of it.",
            "Its image is taken by its digest, its logs by collect.aws.task; memory and files of "
            "such a container come only with its host, where that is an instance.",
        )

    def _bytes(self, lines: Iterator[str], encoder: str, held: list[str]) -> Iterator[bytes]:
        """The bytes of one file; the line after it goes to `held`."""
        for line in lines:
            if line == "@~":
                continue
            if line.startswith("@"):
                held.append(line)
                return
            try:
                yield b64decode(line, validate=True) if encoder == "base64" else bytes.fromhex(line)
            except ValueError:
                self.spoiled += 1

    def _lines(self) -> Iterator[str]:
        left = b""
        for chunk in self.chunks:
            *whole, left = (left + chunk).split(b"\n")
            for one in whole:
                yield one.strip(b"\r ").decode("ascii", "replace")
            if len(left) > LINE:
                raise Tampered(
                    f"{self.where} sent a line of more than {LINE:,} bytes.",
                    "Suspect what runs there; carry the run on without it.",
                )


def chosen(text: str) -> list[str]:
    """The paths that an option names. Raises `Error`."""
    found = [one.strip() for one in text.split(",") if one.strip()]
    for one in found:
        if not PATH.fullmatch(one) or "{{" in one:
            raise Error(
                f"{one[:80]!r} is no path that can be asked for.",
                "Name whole paths with commas between: --set paths=/app,/tmp/x. Quotes, $, ` and "
                "\\ cannot stand in one; name its folder.",
            )
    return found
