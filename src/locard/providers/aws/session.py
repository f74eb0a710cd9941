# SPDX-License-Identifier: Apache-2.0
"""One account of AWS for one run: an assumed role, narrowed to the run's target.

Every call names its run in the user agent, so that CloudTrail tells our calls from those of an
attacker, and is written down with the id that CloudTrail knows it by. Throttling is waited out by
the SDK with growing pauses; a token that expires is renewed.
"""

import json
import os
import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from threading import Lock
from typing import Any, cast

from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import DeferredRefreshableCredentials
from botocore.exceptions import BotoCoreError, ClientError
from botocore.httpsession import URLLib3Session
from botocore.loaders import create_loader
from botocore.parsers import ResponseParserError
from botocore.session import Session, get_session

from locard import __version__
from locard.model.action import Json
from locard.model.custody import Request
from locard.model.errors import Conflict, Error, Missing
from locard.providers.aws.answers import code, lost, meaning
from locard.providers.aws.datachannel import Channel

ATTEMPTS = 8
"""Of one call, the first included; the pauses between them grow to 20 seconds."""
RECENT = 10_000
"""Calls that are remembered; a large disk takes millions."""
MOST_POLICY = 2048
"""Characters that a session policy may have."""
_TOKENS = (("NextToken", "NextToken"), ("Marker", "Marker"), ("nextToken", "nextToken"),
           ("NextMarker", "Marker"), ("NextMarker", "NextMarker"),
           ("NextContinuationToken", "ContinuationToken"),
           ("NextPartNumberMarker", "PartNumberMarker"))  # fmt: skip
"""How services call the place where the next page begins, in an answer and in the next call."""
_SIGNED = Config(signature_version="s3v4")
"""Addresses are presigned by version 4: the older one signs neither length nor checksum."""
_MODELS = create_loader(os.environ.get("AWS_DATA_PATH"))
"""What the services are like, read once by a process: without it each session reads them anew, and
that of EC2 takes longer than all that a run does here besides."""
_CLIENTS = {"elasticloadbalancing": "elbv2"}
"""Services that the SDK calls otherwise than policies do."""


class Cloud:
    """A session at one account and region, for one run."""

    def __init__(
        self,
        account: str,
        region: str,
        run: str,
        *,
        role: str = "",
        external_id: str = "",
        policy: Mapping[str, Any] | None = None,
        endpoint: str = "",
    ) -> None:
        self.account, self.region, self.run = account, region, run
        self.requests: deque[Request] = deque(maxlen=RECENT)
        self.made: list[Request] | None = None
        self._endpoint, self._lock = endpoint or None, Lock()
        self._clients: dict[str, Any] = {}
        self._assumed = (role, external_id, policy)
        self._ahead = timedelta()
        self._config = Config(
            retries={"mode": "standard", "total_max_attempts": _attempts()},
            connect_timeout=10,
            read_timeout=60,
            max_pool_connections=32,
            user_agent_extra=f"locard/{__version__} run/{run}",
        )
        self._session = self._open()

    @property
    def partition(self) -> str:
        """`aws`, `aws-cn`, `aws-us-gov`."""
        return str(self._session.get_partition_for_region(self.region))

    def now(self) -> str:
        """The moment by AWS's clock, ISO 8601 in UTC, the second that is not over rounded up."""
        moment = datetime.now(UTC) + self._ahead + timedelta(seconds=1)
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")

    def own(self) -> list[str]:
        """Who we are in `aws:PrincipalArn`, as patterns: what a denial for all has to except.

        The ARN of a session does not tell the path of its role, so any path is meant there.
        """
        if self._assumed[0]:
            return [self._assumed[0]]
        arn = str(self.call("sts:GetCallerIdentity")["Arn"])
        found = re.fullmatch(r"(arn:[\w-]+):sts::(\d{12}):assumed-role/([^/]+)/.*", arn)
        if found is None:
            return [arn]
        return [f"{found[1]}:iam::{found[2]}:role/{found[3]}",
                f"{found[1]}:iam::{found[2]}:role/*/{found[3]}"]  # fmt: skip

    def call(self, action: str, **arguments: Json) -> dict[str, Json]:
        """Make one call, `ec2:DescribeInstances`, and answer what AWS answered as JSON.

        Raises `Denied` with the permission's name, `Missing`, `Conflict`, `Busy`, and `Storage`
        when AWS cannot be reached.
        """
        return cast(dict[str, Json], plain(self.answer(action, **arguments)))

    def answer(self, action: str, **arguments: Any) -> dict[str, Any]:
        """The same as the SDK gives it: streams of bytes stay streams."""
        for again in (False, True):
            try:
                return self._once(action, arguments)
            except ClientError as error:
                if code(error) in ("ExpiredToken", "ExpiredTokenException") and not again:
                    self._renew()
                    continue
                raise meaning(error, action, self.account) from error
            except (BotoCoreError, ResponseParserError, ConnectionError, TimeoutError) as error:
                raise lost(error, f"AWS account {self.account}") from error
        raise AssertionError

    def within(self, region: str) -> "Cloud":
        """The same session in another region."""
        other: Cloud = copy(self)
        other.region, other._clients, other._lock = region, {}, Lock()
        return other

    def noting(self) -> "Cloud":
        """The same session, which has each call from here on in `made`, and no call of others."""
        other: Cloud = copy(self)
        other.made = []
        return other

    def fetched(self, address: str) -> Any:
        """The bytes at an address that an answer of AWS gave, as a stream."""
        if not address.startswith("https://") and self._endpoint is None:
            raise Error(
                f"AWS names an address that is not safe: {address[:60]}", "Nothing is taken."
            )
        request = AWSRequest("GET", address, stream_output=True).prepare()
        try:
            found = URLLib3Session(timeout=60).send(request)
        except BotoCoreError as error:
            raise lost(error, f"AWS account {self.account}") from error
        if found.status_code != 200:
            raise Missing(
                f"AWS answered {found.status_code} where it said that the bytes are.",
                "The address is good for ten minutes: carry the run on.",
            )
        return found.raw

    def executed(self, cluster: str, task: str, container: str, command: str) -> Channel:
        """Begin a command in a container of ECS; the channel to what its terminal shows."""
        found = self.answer(
            "ecs:ExecuteCommand", cluster=cluster, task=task, container=container,
            command=command, interactive=True,
        )["session"]  # fmt: skip
        return Channel(found["streamUrl"], found["tokenValue"], guarded=self._endpoint is None)

    def presigned(self, action: str, seconds: int, **arguments: Any) -> str:
        """An address at which whoever holds it may make this one call, without credentials.

        What is given is signed: another length, checksum or key than these is refused.
        """
        client, method = self._method(action)
        try:
            return str(client.generate_presigned_url(method, Params=arguments, ExpiresIn=seconds))
        except (BotoCoreError, ClientError) as error:
            raise lost(error, f"AWS account {self.account}") from error

    def pages(self, action: str, member: str, **arguments: Json) -> Iterator[dict[str, Json]]:
        """Every element of a list that AWS gives out in pages."""
        turn = self._turn(action)
        token: dict[str, Json] = {}
        while True:
            found = self.call(action, **arguments, **token)
            yield from found.get(member, ())
            if turn is None or not found.get(turn[0]) or found.get("IsTruncated") is False:
                return
            token = {turn[1]: found[turn[0]]}

    def may(self, action: str, **arguments: Json) -> bool | None:
        """Whether AWS would allow this call, asked by a dry run. None: it does not say."""
        try:
            self._once(action, {**arguments, "DryRun": True})
        except ClientError as error:
            if code(error) == "DryRunOperation":
                return True
            return False if code(error) == "UnauthorizedOperation" else None
        except (BotoCoreError, ResponseParserError, ConnectionError, TimeoutError):
            return None
        raise Conflict(
            f"AWS did {action} when it was asked for a dry run only.",
            "Look at the target, then tell the makers of Locard.",
        )

    def lacks(self, wanted: Sequence[tuple[str, tuple[str, ...]]]) -> dict[str, bool]:
        """Which of these permissions on these resources the role lacks, as IAM simulates it.

        What IAM does not tell is left out: without a role, or when asking itself is not allowed.
        A simulation knows the role's policies, not the conditions of a resource's own.
        """
        role, found = self._assumed[0], dict[str, bool]()
        groups: dict[tuple[str, ...], list[str]] = {}
        for permission, resources in wanted:
            groups.setdefault(resources, []).append(permission)
        for resources, permissions in groups.items() if role else ():
            try:
                answered = self.pages(
                    "iam:SimulatePrincipalPolicy", "EvaluationResults", PolicySourceArn=role,
                    ActionNames=permissions, ResourceArns=list(resources),
                )  # fmt: skip
                for one in answered:
                    denied = one["EvalDecision"] != "allowed"
                    name = one["EvalActionName"]
                    found[name] = found.get(name, False) or denied
            except Error:
                continue
        return found

    def _once(self, action: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        client, method = self._method(action)
        at, said = datetime.now(UTC).isoformat(timespec="milliseconds"), {}
        status = "no answer"
        try:
            found = getattr(client, method)(**arguments)
            said, status = found.pop("ResponseMetadata", {}), "done"
            return cast(dict[str, Any], found)
        except ClientError as error:
            said, status = error.response.get("ResponseMetadata", {}), code(error)
            raise
        finally:
            number = str(said.get("RequestId", ""))
            for noted in (self.requests, self.made) if self.made is not None else (self.requests,):
                noted.append(Request(action, number, at, status))
            if date := said.get("HTTPHeaders", {}).get("date"):
                self._ahead = parsedate_to_datetime(date) - datetime.now(UTC)

    def _method(self, action: str) -> tuple[Any, str]:
        """The client that makes a call, and what the SDK calls it."""
        service, _, operation = action.partition(":")
        client = self._client(_CLIENTS.get(service, service))
        names = {name: one for one, name in client.meta.method_to_api_mapping.items()}
        return client, names[operation]

    def _turn(self, action: str) -> tuple[str, str] | None:
        """What an answer calls the next page, and what the call that asks for it does."""
        client, _ = self._method(action)
        model = client.meta.service_model.operation_model(action.partition(":")[2])
        told, asked = (set(one.members) if one else set() for one in
                       (model.output_shape, model.input_shape))  # fmt: skip
        return next((one for one in _TOKENS if one[0] in told and one[1] in asked), None)

    def _client(self, service: str) -> Any:
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self._session.create_client(
                    service,
                    region_name=self.region,
                    endpoint_url=self._endpoint,
                    config=self._config.merge(_SIGNED) if service == "s3" else self._config,
                )
            return self._clients[service]

    def _renew(self) -> None:
        with self._lock:
            self._clients.clear()
            self._session = self._open()

    def _open(self) -> Session:
        role, external_id, policy = self._assumed
        session = _fresh()
        try:
            source = session.get_credentials()
        except BotoCoreError as error:
            raise lost(error, f"AWS account {self.account}") from error
        if not role:
            return session
        if source is None:
            raise Error(
                f"There are no credentials to take {role} with.",
                "Sign in (`aws sso login`), or set AWS_PROFILE, or give this machine a role.",
            )
        extra: dict[str, Any] = {"RoleSessionName": self.run[:64], "DurationSeconds": 3600}
        if external_id:
            extra["ExternalId"] = external_id
        if policy is not None:
            extra["Policy"] = _compact(policy)
        sts = session.create_client(
            "sts", region_name=self.region, endpoint_url=self._endpoint, config=self._config
        )
        assumed = _fresh()
        assumed._credentials = DeferredRefreshableCredentials(
            refresh_using=lambda: self._taken(sts, role, extra), method="assume-role"
        )
        return assumed

    def _taken(self, sts: Any, role: str, extra: Mapping[str, Any]) -> dict[str, str]:
        """Fresh credentials of the role, as the SDK wants them."""
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        said: Mapping[str, Any] = {}
        status = "no answer"
        try:
            found = sts.assume_role(RoleArn=role, **extra)
            said, status = found["ResponseMetadata"], "done"
        except ClientError as error:
            said, status = error.response.get("ResponseMetadata", {}), code(error)
            raise meaning(error, "sts:AssumeRole", f"{self.account} on {role}") from error
        finally:
            number = str(said.get("RequestId", ""))
            self.requests.append(Request("sts:AssumeRole", number, at, status))
        keys = found["Credentials"]
        return {
            "access_key": keys["AccessKeyId"],
            "secret_key": keys["SecretAccessKey"],
            "token": keys["SessionToken"],
            "expiry_time": keys["Expiration"].isoformat(),
        }


def _fresh() -> Session:
    session = get_session()
    session.register_component("data_loader", _MODELS)
    return session


def warm(services: Iterable[str]) -> None:
    """Read what these services are like, so that the first call to one begins sooner."""
    session = _fresh()
    for one in {"sts", *services}:
        name = _CLIENTS.get(one, one)
        if name in session.get_available_services():
            session.create_client(name, region_name="us-east-1")


def plain(value: Any) -> Json:
    """An answer of the SDK as JSON: times as ISO 8601 in UTC, bytes as base64 text."""
    if isinstance(value, Mapping):
        return {str(name): plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, bytes):
        return value.decode("ascii", "backslashreplace")
    return value


def _compact(policy: Mapping[str, Any]) -> str:
    text = json.dumps(policy, separators=(",", ":"))
    if len(text) > MOST_POLICY:
        raise Error(
            f"The session policy of this run has {len(text):,} characters, and AWS takes "
            f"{MOST_POLICY:,}.",
            "The target has too many parts to be named one by one; isolate it in two runs.",
        )
    return text


def _attempts() -> int:
    named = os.environ.get("AWS_MAX_ATTEMPTS", "")
    return int(named) if named.isdecimal() and int(named) else ATTEMPTS


def whoami(region: str, endpoint: str = "") -> tuple[str, str]:
    """The account and the ARN that this machine's own credentials are of."""
    cloud = Cloud("of these credentials", region, "whoami", endpoint=endpoint)
    found = cloud.call("sts:GetCallerIdentity")
    if not found.get("Account"):
        raise Missing("AWS does not say whose credentials these are.", "Sign in again.")
    return str(found["Account"]), str(found["Arn"])


def number_of(role: str, region: str, endpoint: str = "") -> str:
    """The id of the account that a role is in, or, without one, that our credentials are of.

    Raises `Error` for what is no ARN of a role.
    """
    if not role:
        return whoami(region, endpoint)[0]
    found = re.fullmatch(r"arn:aws[\w-]*:iam::(\d{12}):role/[\w+=,.@/-]+", role)
    if found is None:
        raise Error(
            f"{role[:120]!r} is no ARN of a role.",
            "Write it like arn:aws:iam::123456789012:role/Locard.",
        )
    return found[1]
