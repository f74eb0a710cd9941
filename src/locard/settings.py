# SPDX-License-Identifier: Apache-2.0
"""Settings: one frozen object, made at the door (command line or API) and passed down."""

import difflib
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from locard.model.errors import Error
from locard.parsers.contract import Limits

LIMITS = tuple(one.name for one in fields(Limits))
"""The names of the limits."""

_AMOUNT = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)i?b?", re.IGNORECASE)
_UNITS = {"": 0, "k": 10, "m": 20, "g": 30, "t": 40}


@dataclass(frozen=True, slots=True)
class SingleSignOn:
    """An OpenID provider whose people may sign in (docs/howto/single-sign-on.md)."""

    issuer: str
    """`LOCARD_OIDC_ISSUER`: its address, below which the discovery document lies."""
    client: str
    """`LOCARD_OIDC_CLIENT`: the client id that it gave to Locard."""
    secret: str = field(default="", repr=False)
    """`LOCARD_OIDC_SECRET`, or the content of `LOCARD_OIDC_SECRET_FILE`; empty: a public client."""
    name: str = ""
    """`LOCARD_OIDC_NAME`: what the button says; the host of the issuer when it is left out."""
    scopes: str = "openid profile email groups"
    """`LOCARD_OIDC_SCOPES`."""
    username: str = "preferred_username"
    """`LOCARD_OIDC_USERNAME`: the claim that becomes the user name."""
    groups: str = "groups"
    """`LOCARD_OIDC_GROUPS`: the claim that names the groups."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Where everything is and how much of the machine may be used."""

    home: Path
    """Everything of ours lives here: `LOCARD_HOME`, or `~/.locard`."""
    workers: int
    """Parsing processes at work at once: `LOCARD_WORKERS`, or one for each core."""
    limits: Limits = field(default_factory=Limits)
    """Bounds for hostile evidence: `LOCARD_LIMITS`, such as `ratio=5000,decoded_bytes=1T`."""
    single_sign_on: SingleSignOn | None = None
    """The OpenID provider, when there is one."""
    place: str = ""
    """Where evidence is kept: `LOCARD_VAULT`, such as `s3://bucket/prefix?retain=7y`."""
    encrypt: str = ""
    """What evidence is encrypted to: `LOCARD_ENCRYPT`, `age1…` or `kms:KEY`."""
    age_identity: Path | None = None
    """The file of the age key that decrypts: `LOCARD_AGE_IDENTITY`, or `keys/age.txt` in `home`."""

    signing_key: str = ""
    """What signs the ledger: `LOCARD_SIGNING_KEY`, such as `kms:ARN`. Empty: a key in a file."""
    authority: str = ""
    """The time-stamping authority to ask: `LOCARD_TSA`, an address. Empty: what was configured
    with `locard custody authority`, if anything."""
    authority_roots: tuple[Path, ...] = ()
    """`LOCARD_TSA_ROOTS`: files of its root certificates, with colons between them."""
    checkpoint_entries: int = 1_000
    """`LOCARD_CHECKPOINT_ENTRIES`: a checkpoint of the ledger after so many entries, and ..."""
    checkpoint_minutes: int = 60
    """`LOCARD_CHECKPOINT_MINUTES`: ... after so many minutes in which something happened."""

    @property
    def vault(self) -> Path:
        """The folder of evidence and ledger."""
        return self.home / "vault"

    @property
    def timeline(self) -> Path:
        """The folder of the embedded timeline store."""
        return self.home / "timeline"

    @property
    def state(self) -> Path:
        """The SQLite file of small records."""
        return self.home / "state.sqlite"

    @property
    def keys(self) -> Path:
        """The folder of the private keys, which nobody else may read."""
        return self.home / "keys"

    @property
    def scratch(self) -> Path:
        """Room for workers; emptied at will."""
        return self.home / "scratch"


def from_environment(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings that the environment asks for. Raises `Error` for a value that is none."""
    names = os.environ if environment is None else environment
    home = Path(names.get("LOCARD_HOME") or "~/.locard").expanduser().absolute()
    workers = _number(names, "LOCARD_WORKERS", "the number of parsing processes", "one a core")
    entries = _number(names, "LOCARD_CHECKPOINT_ENTRIES", "a number of entries", "1000")
    minutes = _number(names, "LOCARD_CHECKPOINT_MINUTES", "a number of minutes", "60")
    roots = names.get("LOCARD_TSA_ROOTS", "").strip()
    identity = names.get("LOCARD_AGE_IDENTITY", "").strip()
    asked = names.get("LOCARD_LIMITS", "")
    limits = limited(Limits(), limits_of(word for word in asked.split(",") if word.strip()))
    return Settings(
        home=home,
        workers=workers or os.cpu_count() or 2,
        limits=limits,
        single_sign_on=_single_sign_on(names),
        place=names.get("LOCARD_VAULT", "").strip(),
        encrypt=names.get("LOCARD_ENCRYPT", "").strip(),
        age_identity=Path(identity).expanduser().absolute() if identity else None,
        signing_key=names.get("LOCARD_SIGNING_KEY", "").strip(),
        authority=names.get("LOCARD_TSA", "").strip(),
        authority_roots=tuple(Path(one).expanduser() for one in roots.split(os.pathsep) if one),
        checkpoint_entries=entries or 1_000,
        checkpoint_minutes=minutes or 60,
    )


def _number(names: Mapping[str, str], name: str, what: str, otherwise: str) -> int:
    """The number that a variable holds, 0 when it is not set."""
    said = names.get(name, "").strip() or "0"
    if not said.isdecimal() or len(said) > 9:
        raise Error(
            f"{name} is {said[:40]!r}, which is not a number.",
            f"Set it to {what}, or leave it out: {otherwise}.",
        )
    return int(said)


def _single_sign_on(names: Mapping[str, str]) -> SingleSignOn | None:
    issuer = names.get("LOCARD_OIDC_ISSUER", "").strip()
    if not issuer:
        return None
    parts = urlsplit(issuer)
    if not parts.hostname or not safe_address(issuer):
        raise Error(
            f"LOCARD_OIDC_ISSUER is {issuer[:100]!r}, which is no address of a provider.",
            "Write it like https://login.example.com; plain http is for loopback only.",
        )
    client = names.get("LOCARD_OIDC_CLIENT", "").strip()
    if not client:
        raise Error(
            "LOCARD_OIDC_ISSUER is set, but not LOCARD_OIDC_CLIENT.",
            "Set it to the client id that the provider gave you.",
        )
    asked = {
        name: names.get(f"LOCARD_OIDC_{name.upper()}", "").strip()
        for name in ("name", "scopes", "username", "groups")
    }
    given = {name: value for name, value in asked.items() if value}
    given.setdefault("name", parts.hostname)
    return SingleSignOn(issuer=issuer, client=client, secret=_secret(names), **given)


def _secret(names: Mapping[str, str]) -> str:
    file = names.get("LOCARD_OIDC_SECRET_FILE", "").strip()
    if not file:
        return names.get("LOCARD_OIDC_SECRET", "").strip()
    try:
        return Path(file).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Error(
            f"LOCARD_OIDC_SECRET_FILE names {file[:200]!r}, which cannot be read.",
            "Let it name a text file with the client secret that the user of Locard may read.",
        ) from error


def safe_address(address: str) -> bool:
    """Whether nobody on the way can read or change what is sent to this address."""
    parts = urlsplit(address)
    return parts.scheme == "https" or (
        parts.scheme == "http" and parts.hostname in ("127.0.0.1", "::1", "localhost")
    )


def limits_of(words: Iterable[str]) -> dict[str, float]:
    """The limits that words such as `ratio=5000` or `decoded_bytes=1T` set, by name.

    K, M, G and T are powers of 1024. Raises `Error` for a name or a value that is none.
    """
    found: dict[str, float] = {}
    for word in words:
        name, equals, value = (part.strip() for part in word.partition("="))
        if name not in LIMITS:
            near = difflib.get_close_matches(name, LIMITS, 1)
            raise Error(
                f"There is no limit called {name[:40]!r}.",
                f"Did you mean {near[0]}?" if near else f"There are: {', '.join(LIMITS)}.",
            )
        amount = _AMOUNT.fullmatch(value)
        number = float(amount[1]) * 2 ** _UNITS[amount[2].lower()] if amount else 0.0
        if not equals or number <= 0:
            raise Error(
                f"{word.strip()[:60]!r} sets no limit.",
                f"Write {name}=NUMBER with a number above 0; K, M, G and T are understood.",
            )
        found[name] = int(number) if number == int(number) else number
    limited(Limits(), found)
    return found


def limited(limits: Limits, changes: Mapping[str, float]) -> Limits:
    """`limits` with some of them changed. Raises `Error` for a value that a limit cannot have."""
    if not changes:
        return limits
    try:
        return msgspec.convert({**asdict(limits), **changes}, Limits)
    except msgspec.ValidationError as error:
        raise Error(
            f"A limit cannot have this value: {error}.",
            "Only seconds and idle_seconds take fractions.",
        ) from error


def changed(limits: Limits) -> dict[str, float]:
    """The limits that are not what they usually are."""
    usual = asdict(Limits())
    return {name: value for name, value in asdict(limits).items() if value != usual[name]}
