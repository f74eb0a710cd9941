# SPDX-License-Identifier: Apache-2.0
"""moto in a process of its own, behind a front that watches, hinders and helps.

It corrects moto where it errs: there the groups of an interface are mixed with those of its
instance. It notes every call with its user agent, answers a call with a fault when a test says so,
gives blocks to snapshots of volumes (moto knows blocks only of what `start_snapshot` began), and
answers the calls that moto lacks from the shapes that the service's own model describes.
"""

import io
import json
import re
import sys
import threading
from base64 import b64encode
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

from tests.clouds.aws import lacking

Start = Callable[..., Any]
CONTROL = "/locard-test/"
PIXEL = b64encode(b"\xff\xd8\xff\xe0 a screenshot \xff\xd9").decode()


class Front:
    """The application in front of moto's."""

    def __init__(self) -> None:
        self.behind = DomainDispatcherApplication(create_backend_app)
        self.lacking = lacking.every()
        self.lock = threading.Lock()
        self.calls: list[dict[str, str]] = []
        self.faults: list[dict[str, Any]] = []
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
            return self._control(path.removeprefix(CONTROL), body, start)
        action, form = named(environ, body)
        with self.lock:
            self.calls.append(
                {
                    "action": action,
                    "agent": environ.get("HTTP_USER_AGENT", ""),
                    "key": _key(environ),
                    "dry": form.get("DryRun", [""])[0],
                }
            )
            fault = self._fault(action)
        if fault is not None:
            return _answer(start, fault["status"], fault["body"], fault["type"])
        for name, handler in self.lacking.items():
            if re.fullmatch(name, action):
                query = parse_qs(environ.get("QUERY_STRING", ""))
                made = handler(lacking.Asked(action, body, form, path, query))
                if made is not None:
                    return _answer(start, made.status, made.body, made.kind)
        if action == "ec2:GetConsoleScreenshot":
            inner = (
                f"<imageData>{PIXEL}</imageData><instanceId>{form['InstanceId'][0]}</instanceId>"
            )
            return _answer(start, "200 OK", _xml("GetConsoleScreenshot", inner), "text/xml")
        if seconds := form.get("ConnectionTrackingSpecification.TcpEstablishedTimeout"):
            self.tracking[form["NetworkInterfaceId"][0]] = seconds[0]
            inner = "<return>true</return>"
            answer = _xml("ModifyNetworkInterfaceAttribute", inner)
            return _answer(start, "200 OK", answer, "text/xml")
        if action == "ec2:DescribeNetworkInterfaces":
            return self._tracked(environ, start)
        if action.startswith("ebs:"):
            environ["PATH_INFO"] = self._seeded(path)
            if "RAW_URI" in environ:
                environ["RAW_URI"] = environ["RAW_URI"].replace(path, environ["PATH_INFO"])
            if "REQUEST_URI" in environ:
                environ["REQUEST_URI"] = environ["REQUEST_URI"].replace(path, environ["PATH_INFO"])
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
        return _answer(start, said[0], body, dict(said[1]).get("Content-Type", "text/xml"))

    def _control(self, name: str, body: bytes, start: Start) -> Iterable[bytes]:
        with self.lock:
            if name == "calls":
                return _answer(start, "200 OK", json.dumps(self.calls))
            if name == "forget":
                self.calls.clear()
                self.faults.clear()
            elif name == "faults":
                self.faults.append(json.loads(body))
            elif name == "seeds":
                self.seeds.update(json.loads(body))
        return _answer(start, "200 OK", "{}")

    def _fault(self, action: str) -> dict[str, Any] | None:
        for one in self.faults:
            if re.fullmatch(one["action"], action) and one["after"] <= 0 < one["times"]:
                one["times"] -= 1
                return one
            if re.fullmatch(one["action"], action):
                one["after"] -= 1
        return None

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

    EBSSnapshot.__init__ = _sized(EBSSnapshot.__init__)
    EC2Backend.modify_network_interface_attribute = modify
    NetworkInterface.group_set = property(lambda self: self._group_set)


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


def _key(environ: dict[str, Any]) -> str:
    found = re.search(r"Credential=([^/]+)/", environ.get("HTTP_AUTHORIZATION", ""))
    return found[1] if found else ""


def _xml(action: str, inner: str) -> str:
    space = "http://ec2.amazonaws.com/doc/2016-11-15/"
    return f'<{action}Response xmlns="{space}"><requestId>r</requestId>{inner}</{action}Response>'


def _answer(
    start: Start, status: str, body: str, kind: str = "application/json"
) -> Iterable[bytes]:
    data = body.encode()
    start(status, [("Content-Type", kind), ("Content-Length", str(len(data)))])
    return [data]


if __name__ == "__main__":
    correct()
    make_server("127.0.0.1", int(sys.argv[1]), Front(), threaded=True).serve_forever()
