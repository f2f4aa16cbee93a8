"""The whole chain before the service, around a small app: who may call what."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from gate_app import BODY, KEYED, PATHS, SECRETS, STORED, App, ask, bearer, built, code
from starlette.types import Message

from serving.gate.access import FORWARDED, _is_loopback, is_local
from serving.gate.chain import Gate
from serving.gate.key_ring import KeyRing
from serving.gate.keys import SCOPES
from serving.settings import Settings


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("scope", SCOPES)
def test_a_key_opens_what_its_scope_allows(path: str, scope: str) -> None:
    answer = ask("POST", path, headers=bearer(scope), json=BODY, **KEYED)
    if scope == PATHS[path]:
        assert answer.json()["caller"] == scope
    else:
        assert code(answer) == (403, "forbidden")


@pytest.mark.parametrize("path", [*PATHS, "/taxonomy", "/nowhere", "/score\n", "/feedback/a\nb"])
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer yj_guess"}, {"Authorization": "Basic x"}])
def test_without_a_key_nothing_opens(path: str, headers: dict[str, str]) -> None:
    app = App()
    answer = ask("POST", path.replace("\n", "%0A"), app, headers=headers, json=BODY, **KEYED)
    assert code(answer) in {(401, "unauthorized"), (404, "not_found")}
    assert app.calls == 0
    if answer.status_code == 401:
        assert answer.headers["www-authenticate"] == "Bearer"


def test_the_other_header_will_do_and_any_key_reads() -> None:
    assert ask("GET", "/taxonomy", headers={"X-API-Key": SECRETS["admin"][0]}, **KEYED).text == "hello"


@pytest.mark.parametrize(("left", "status"), [(None, 200), ("half a li", 200), ("", 401)])
def test_the_keys_of_the_start_hold_though_their_file_is_lost_before_the_first_request(
    left: str | None, status: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (path := tmp_path / "keys.txt").write_text(KEYED["keys"], encoding="utf-8")
    monkeypatch.setenv("YUJING_KEYS_FILE", str(path))
    ring = KeyRing.of(Settings.from_env())
    path.unlink() if left is None else path.write_text(left, encoding="utf-8")

    async def run() -> list[int]:
        transport = httpx.ASGITransport(Gate(App().app, lambda: ring))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
            return [(await http.get(path, headers=bearer("score"))).status_code for path in ("/livez", "/taxonomy")]

    assert asyncio.run(run()) == [200, status]


def test_the_scheme_may_be_written_in_any_case() -> None:
    secret = SECRETS["score"][0]
    for scheme in ("bearer", "BEARER"):
        assert ask("GET", "/taxonomy", headers={"Authorization": f"{scheme} {secret}"}, **KEYED).status_code == 200


def test_a_handler_can_require_a_scope() -> None:
    assert ask("GET", "/policy", headers=bearer("feedback"), **KEYED).json() == {"caller": "feedback"}
    assert code(ask("GET", "/policy", headers=bearer("score"), **KEYED)) == (403, "forbidden")


@pytest.mark.parametrize(("path", "group"), [("/livez", "probes"), ("/metrics", "metrics"), ("/", "docs")])
def test_public_pages_are_a_setting(path: str, group: str) -> None:
    assert ask("GET", path, **KEYED).status_code == 200
    closed = tuple({"probes", "metrics", "docs"} - {group})
    assert code(ask("GET", path, public=closed, **KEYED)) == (401, "unauthorized")
    assert ask("GET", path, public=closed, headers=bearer("score"), **KEYED).status_code == 200


@pytest.mark.parametrize(
    ("far", "near", "answers"),
    [
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.1", "localhost", False),  # httpx names the server end so; a real socket has an address
        ("203.0.113.9", "127.0.0.1", False),
        ("127.0.0.1", "203.0.113.7", False),
        ("127.0.0.1", "rebound.example", False),
    ],
)
def test_without_keys_only_this_machine_is_answered(far: str, near: str, answers: bool) -> None:
    answer = ask("POST", "/score", json=BODY, client=far, host=near)
    assert answer.status_code == (200 if answers else 403)
    assert answers or code(answer) == (403, "no_keys")
    assert ask("GET", "/livez", client=far, host=near).status_code == 200
    assert ask("POST", "/score", json=BODY, client=far, host=near, anonymous=True).status_code == 200


def test_a_caller_who_is_gone_is_no_stranger_and_opens_nothing() -> None:
    """A connection that was reset has no address any more when the server takes it."""
    app, sent = App(), list[Message]()

    async def receive() -> Message:
        return {"type": "http.request", "body": json.dumps(BODY).encode()}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/score", "headers": [(b"host", b"127.0.0.1")]}
    scope |= {"client": None, "server": ("127.0.0.1", 3000)}
    asyncio.run(built(app.app, Settings())(scope, receive, send))
    assert (sent[0]["status"], app.calls) == (499, 0)


@pytest.mark.parametrize(
    ("name", "answers"),
    [
        ("127.0.0.1:3000", True),
        ("localhost:3000", True),
        ("LocalHost", True),
        ("[::1]:3000", True),
        ("rebound.example", False),
        ("127.0.0.1.rebound.example:3000", False),
        ("localhost.rebound.example", False),
        ("127.0.0.1@rebound.example", False),
    ],
)
def test_without_keys_a_name_of_a_page_that_leads_here_opens_nothing(name: str, answers: bool) -> None:
    """Both ends of the connection are this machine's then: only the name in Host tells."""
    answer = ask("GET", "/taxonomy", headers={"Host": name})
    assert answer.status_code == (200 if answers else 403)
    assert answers or code(answer) == (403, "no_keys")


@pytest.mark.parametrize("header", [*FORWARDED, "HTTP/1.0"])
def test_without_keys_a_proxy_on_this_machine_opens_nothing(header: str) -> None:
    version, sent = ("1.0", {}) if header == "HTTP/1.0" else ("1.1", {header: "for=203.0.113.9"})

    def status(headers: dict[str, str], **settings: Any) -> tuple[int, str]:
        answer = ask("POST", "/score", json=BODY, headers={**sent, **headers}, version=version, **settings)
        return answer.status_code, answer.text

    found, said = status({})
    assert found == 403
    assert '"no_keys"' in said
    assert header in said
    assert "yujing keys new" in said
    assert status({}, anonymous=True)[0] == status(bearer("score"), **KEYED)[0] == 200
    assert ask("GET", "/livez", headers=sent, version=version).status_code == 200


@pytest.mark.parametrize(
    ("headers", "sign"),
    [
        ({"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}, "Sec-Fetch-Site"),
        ({"Origin": "http://127.0.0.1", "Sec-Fetch-Site": "same-site"}, "Sec-Fetch-Site"),
        ({"Origin": "https://evil.example"}, "Origin"),
        ({"Origin": "http://127.0.0.1:8080"}, "Origin"),  # another port is another origin
        ({"Origin": "null"}, "Origin"),
        ({"Origin": "http://127.0.0.1", "Sec-Fetch-Site": "same-origin"}, None),
        ({"Origin": "http://127.0.0.1"}, None),
        ({"Sec-Fetch-Site": "none"}, None),
        ({}, None),
    ],
)
@pytest.mark.parametrize("path", ["/score", "/feedback"])
def test_without_keys_no_page_of_another_site_sends(path: str, headers: dict[str, str], sign: str | None) -> None:
    app, content = App(), json.dumps(BODY).encode()  # no Content-Type: no preflight
    answer = ask("POST", path, app, content=content, headers=headers)
    assert app.calls == (sign is None)
    if sign is None:
        assert answer.status_code == 200
    else:
        assert code(answer) == (403, "cross_site")
        assert sign in answer.text
    key = bearer(PATHS[path])
    assert ask("POST", path, content=content, headers={**headers, **key}, **KEYED).status_code == 200
    assert ask("GET", "/taxonomy", headers=headers).status_code == 200


def test_without_keys_no_page_of_another_site_deletes() -> None:
    page = {"Sec-Fetch-Site": "cross-site"}
    assert code(ask("DELETE", f"/predictions/{STORED[0]}", headers=page)) == (403, "cross_site")
    assert ask("DELETE", f"/predictions/{STORED[0]}").status_code == 204


def test_nobody_is_admin_without_a_key() -> None:
    assert code(ask("POST", "/admin/reload", anonymous=True)) == (403, "forbidden")


def test_a_host_that_no_name_can_be_is_not_remembered() -> None:
    assert [is_local(host) for host in ("127.0.0.1", "::1", "10.0.0.1", "localhost")] == [True, True, False, False]
    ask("POST", "/score", json=BODY)  # both ends of the connection
    before = _is_loopback.cache_info().currsize
    answer = ask("POST", "/score", headers={"Host": "h" * 60_000}, json=BODY)
    assert code(answer) == (403, "no_keys")
    assert not is_local("1" * 256)
    assert _is_loopback.cache_info().currsize == before
