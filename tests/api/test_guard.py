# SPDX-License-Identifier: Apache-2.0
import gzip
import logging

import httpx
import pytest

from .conftest import Api


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "", "127.0.0.1:x", "a b"]
)
def test_other_host_names_are_refused(api: Api, host: str) -> None:
    with api.client() as client:
        answer = client.get("/api/health", headers={"host": host})
    assert answer.status_code in (400, 421) and "ok" not in answer.text


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1", "[::1]:80"])
def test_loopback_names_are_known(api: Api, host: str) -> None:
    with api.client() as client:
        assert client.get("/api/health", headers={"host": host}).json() == {"ok": True}


@pytest.mark.parametrize("path", ["/", "/api/health", "/api/nothing", "/assets/index-abc.js"])
def test_every_answer_carries_the_safe_headers(api: Api, path: str) -> None:
    with api.client() as client:
        headers = client.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy.split("script-src", 1)[1].split(";", 1)[0]
    assert headers["x-content-type-options"] == "nosniff"
    assert len(headers["x-request-id"]) == 16
    assert "server" not in headers


def test_what_we_did_not_foresee_shows_an_id_and_nothing_of_the_inside(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR), api.client() as client:
        answer = client.get("/api/breaks")
    assert answer.status_code == 500
    problem = answer.json()
    assert "inner detail" not in answer.text and "Traceback" not in answer.text
    assert problem["request_id"] in caplog.text and "inner detail" in caplog.text


def test_an_address_without_anything_is_a_problem(ada: httpx.Client) -> None:
    answer = ada.get("/api/nothing/here")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert ada.get("/api/cases/none/tags").json()["detail"] == "There is no case called 'none'."


def test_a_body_that_does_not_fit_says_where(ada: httpx.Client) -> None:
    answer = ada.post("/api/tokens", json={"days": "many"})
    assert answer.status_code == 422
    assert "days" in answer.json()["detail"] and answer.json()["errors"]
    endless = ada.post("/api/tokens", content=b'{"name":"' + b"x" * (5 << 20) + b'"}')
    assert endless.status_code in (413, 422)


def test_the_page_is_served_for_every_view(api: Api) -> None:
    with api.client() as client:
        for path in ("/", "/cases/one/timeline", "/sign-in", "/favicon.ico"):
            answer = client.get(path)
            assert answer.status_code == 200 and "<title>Locard" in answer.text
            assert answer.headers["cache-control"] == "no-cache"
        asset = client.get("/assets/index-abc.js")
        assert asset.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert asset.headers["content-encoding"] == "gzip" and asset.text.startswith("export")
        assert client.get("/assets/other.js").status_code == 404


@pytest.mark.parametrize(
    "path",
    ["/../secret.txt", "/%2e%2e/secret.txt", "/assets/..%2f..%2fsecret.txt", "/..%5csecret.txt"],
)
def test_nothing_outside_the_page_is_served(api: Api, path: str) -> None:
    with api.client() as client:
        request = client.build_request("GET", api.url)
        request.url = request.url.copy_with(raw_path=path.encode())
        answer = client.send(request)
    body = gzip.decompress(answer.content) if answer.content[:2] == b"\x1f\x8b" else answer.content
    assert b"secret" not in body
