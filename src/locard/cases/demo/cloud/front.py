# SPDX-License-Identifier: Apache-2.0
"""moto in a process of its own, behind a front that helps it.

It corrects moto where it errs: there the groups of an interface are mixed with those of its
instance. It gives blocks to snapshots of volumes (moto knows blocks only of what `start_snapshot`
began), and answers the calls that moto lacks from the shapes that the service's own model
describes. It ends with the process that started it.
"""

import io
import json
import os
import re
import sys
import threading
import time
import uuid
from base64 import b64encode
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

Start = Callable[..., Any]
NO_SUCH_ROLE = (
    '<ErrorResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><Error><Type>Sender</Type>'
    "<Code>NoSuchEntity</Code><Message>no such role</Message></Error></ErrorResponse>"
)
AMZ_JSON = "application/x-amz-json-1.1"
CONTROL = "/locard-simulation/"
PIXEL = b64encode(b"\xff\xd8\xff\xe0 a screenshot \xff\xd9").decode()


class Front:
    """The application in front of moto's."""

    def __init__(self) -> None:
        self.behind = DomainDispatcherApplication(create_backend_app)
        self.lock = threading.Lock()
        self.seeds: dict[str, str] = {}
        """Snapshots that have the blocks, by volume."""
        self.tracking: dict[str, str] = {}
        """Time-outs of connection tracking by interface, which moto does not know."""

    def __call__(self, environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        size = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(size) if size else b""
        environ["wsgi.input"] = io.BytesIO(body)
        path = environ["PATH_INFO"]
        if path.startswith(CONTROL):
            return self.control(path.removeprefix(CONTROL), body, start)
        action, form = named(environ, body)
        return self.answer(action, form, environ, start)

    def control(self, name: str, body: bytes, start: Start) -> Iterable[bytes]:
        """What the front is told, which is no call of AWS."""
        with self.lock:
            if name == "seeds":
                self.seeds.update(json.loads(body))
        return answer(start, "200 OK", "{}")

    def answer(
        self, action: str, form: dict[str, list[str]], environ: dict[str, Any], start: Start
    ) -> Iterable[bytes]:
        """One call."""
        if action == "ec2:GetConsoleScreenshot":
            inner = (
                f"<imageData>{PIXEL}</imageData><instanceId>{form['InstanceId'][0]}</instanceId>"
            )
            return answer(start, "200 OK", _xml("GetConsoleScreenshot", inner), "text/xml")
        if action == "ec2:LockSnapshot":
            return answer(start, "200 OK", _xml("LockSnapshot", _locked(form)), "text/xml")
        if seconds := form.get("ConnectionTrackingSpecification.TcpEstablishedTimeout"):
            self.tracking[form["NetworkInterfaceId"][0]] = seconds[0]
            inner = "<return>true</return>"
            said = _xml("ModifyNetworkInterfaceAttribute", inner)
            return answer(start, "200 OK", said, "text/xml")
        if action == "iam:SimulatePrincipalPolicy":  # the role that is taken has no policies here
            return answer(start, "404 Not Found", NO_SUCH_ROLE, "text/xml")
        if action == "ssm:DescribeInstanceInformation":
            return answer(start, "200 OK", '{"InstanceInformationList": []}', AMZ_JSON)
        if action == "ec2:DescribeNetworkInterfaces":
            return self._tracked(environ, start)
        if action.startswith("ebs:"):
            path = environ["PATH_INFO"]
            environ["PATH_INFO"] = self._seeded(path)
            for name in ("RAW_URI", "REQUEST_URI"):
                if name in environ:
                    environ[name] = environ[name].replace(path, environ["PATH_INFO"])
        found: Iterable[bytes] = self.behind(environ, start)
        return found

    def _tracked(self, environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        """The answer with the time-outs in it."""
        said: list[Any] = []
        body = b"".join(self.behind(environ, lambda *given: said.extend(given[:2]))).decode()
        for name, seconds in self.tracking.items():
            tag = f"<networkInterfaceId>{name}</networkInterfaceId>"
            inner = f"<tcpEstablishedTimeout>{seconds}</tcpEstablishedTimeout>"
            more = f"<connectionTrackingConfiguration>{inner}</connectionTrackingConfiguration>"
            body = body.replace(tag, tag + more)
        return answer(start, said[0], body, dict(said[1]).get("Content-Type", "text/xml"))

    def _seeded(self, path: str) -> str:
        """The same path with the snapshot that holds the blocks of this one's volume."""
        from moto.ec2.models import ec2_backends

        found = re.match(r"/snapshots/(snap-\w+)/", path)
        if found is None:
            return path
        for account in list(ec2_backends.values()):
            for backend in list(account.values()):
                snapshot = backend.snapshots.get(found[1])
                if snapshot is not None and snapshot.volume.id in self.seeds:
                    return path.replace(found[1], self.seeds[snapshot.volume.id])
        return path


def _locked(form: dict[str, list[str]]) -> str:
    """What AWS says of a lock. Nothing deletes a snapshot of this account."""
    now, days = datetime.now(UTC), int(form["LockDuration"][0])
    said = {
        "snapshotId": form["SnapshotId"][0], "lockState": form["LockMode"][0],
        "lockDuration": days, "lockCreatedOn": now.isoformat(),
        "lockExpiresOn": (now + timedelta(days=days)).isoformat(),
    }  # fmt: skip
    return "".join(f"<{name}>{value}</{name}>" for name, value in said.items())


def correct() -> None:
    """An interface has its own groups, an instance those of its first interface, and blocks are
    of 512 KiB."""
    from moto.ebs.models import EBSSnapshot
    from moto.ec2.models import EC2Backend
    from moto.ec2.models.elastic_network_interfaces import NetworkInterface

    before = EC2Backend.modify_network_interface_attribute

    def modify(self: Any, name: str, groups: list[str], *given: Any) -> None:
        before(self, name, groups, *given)
        found = self.get_network_interface(name)
        if groups and found.instance is not None and found.device_index == 0:
            found.instance.security_groups = found._group_set

    _put(EBSSnapshot, "__init__", _sized(EBSSnapshot.__init__))
    _put(EC2Backend, "modify_network_interface_attribute", modify)
    _put(NetworkInterface, "group_set", property(lambda self: self._group_set))


def _put(owner: type, name: str, corrected: Any) -> None:
    setattr(owner, name, corrected)


def _sized(made: Callable[..., None]) -> Callable[..., None]:
    def init(self: Any, *given: Any, **named: Any) -> None:
        made(self, *given, **named)
        self.block_size = 512 << 10

    return init


def named(environ: dict[str, Any], body: bytes) -> tuple[str, dict[str, list[str]]]:
    """The action as policies name it, and the form of the services that use one."""
    scope = re.search(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/", environ.get("HTTP_AUTHORIZATION", ""))
    service = scope[1] if scope else ""
    if target := environ.get("HTTP_X_AMZ_TARGET"):
        return f"{service}:{target.rpartition('.')[2]}", {}
    form = parse_qs(body.decode("utf-8", "replace")) if service != "ebs" else {}
    if "Action" in form:
        return f"{service}:{form['Action'][0]}", form
    if service == "ebs":
        many = environ["PATH_INFO"].endswith("/blocks")
        return "ebs:ListSnapshotBlocks" if many else "ebs:GetSnapshotBlock", {}
    return f"{service}:{environ['REQUEST_METHOD']} {environ['PATH_INFO']}", form


def _xml(action: str, inner: str) -> str:
    space = "http://ec2.amazonaws.com/doc/2016-11-15/"
    return f'<{action}Response xmlns="{space}"><requestId>r</requestId>{inner}</{action}Response>'


def answer(start: Start, status: str, body: str, kind: str = "application/json") -> Iterable[bytes]:
    """An answer of our own; like AWS's it has the id of its request."""
    data = body.encode()
    number = ("x-amzn-RequestId", str(uuid.uuid4()))
    start(status, [("Content-Type", kind), ("Content-Length", str(len(data))), number])
    return [data]


def serve(front: Front, port: int) -> None:
    """Serve on loopback until the process that started this one is gone."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()
    correct()
    make_server("127.0.0.1", port, front, threaded=True).serve_forever()


if __name__ == "__main__":
    serve(Front(), int(sys.argv[1]))
