# SPDX-License-Identifier: Apache-2.0
"""A time-stamping authority of the tests' own: OpenSSL with a key and a certificate."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

CONFIGURATION = """
[ tsa ]
default_tsa = local
[ local ]
serial = {folder}/serial
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
certs = {folder}/tsa.pem
ordering = yes
tsa_name = yes
"""


@dataclass(frozen=True)
class Authority:
    """An authority whose root is `root` (PEM)."""

    folder: Path

    @property
    def root(self) -> bytes:
        return (self.folder / "root.pem").read_bytes()

    @classmethod
    def make(cls, folder: Path) -> "Authority":
        folder.mkdir(parents=True)

        def openssl(*words: object) -> None:
            subprocess.run(
                ["openssl", *map(str, words)], cwd=folder, check=True, capture_output=True
            )

        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "root.key", "-out",
                "root.pem", "-days", 3650, "-subj", "/CN=Test Root")  # fmt: skip
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", "tsa.key", "-out", "tsa.csr",
                "-subj", "/CN=Test Time Stamps")  # fmt: skip
        (folder / "use").write_text(
            "extendedKeyUsage=critical,timeStamping\nbasicConstraints=CA:FALSE\n"
        )
        openssl("x509", "-req", "-in", "tsa.csr", "-CA", "root.pem", "-CAkey", "root.key",
                "-out", "tsa.pem", "-days", 3650, "-extfile", "use", "-set_serial", 2)  # fmt: skip
        (folder / "serial").write_text("01\n")
        (folder / "tsa.cnf").write_text(CONFIGURATION.format(folder=folder))
        return cls(folder)

    def stamp(self, message: bytes) -> bytes:
        """The response over these bytes."""
        (self.folder / "message").write_bytes(message)
        subprocess.run(
            ["openssl", "ts", "-query", "-data", "message", "-sha256", "-cert", "-out", "query"],
            cwd=self.folder, check=True, capture_output=True,
        )  # fmt: skip
        subprocess.run(
            ["openssl", "ts", "-reply", "-config", "tsa.cnf", "-queryfile", "query", "-out",
             "reply"], cwd=self.folder, check=True, capture_output=True,
        )  # fmt: skip
        return (self.folder / "reply").read_bytes()
