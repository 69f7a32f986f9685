"""Who may talk to us over HTTP."""

import pytest
from multidict import CIMultiDict

from middleware.errors import UsageError
from middleware.http.access import Access
from middleware.memory.identity import HTTP_TOKEN_VARIABLE


def refusal(access: Access, **headers: str) -> int | None:
    found = access.refusal(CIMultiDict({name.replace("_", "-"): value for name, value in headers.items()}))
    return found[0] if found else None


def test_on_this_machine_only_its_own_names_may_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(HTTP_TOKEN_VARIABLE, raising=False)
    access = Access("127.0.0.1", hosts=["relay.test"], origins=["https://page.test"])
    for host in ("127.0.0.1:80", "localhost", "LOCALHOST:1", "[::1]:99", "relay.test:8000"):
        assert refusal(access, Host=host) is None
    for host in ("evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", "", "[", "169.254.1.1"):
        assert refusal(access, Host=host) == 403
    assert refusal(access) == 403
    assert refusal(Access("127.0.0.2"), Host="127.0.0.2:80") is None


def test_a_web_page_of_another_origin_may_not_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(HTTP_TOKEN_VARIABLE, raising=False)
    access = Access("::1", origins=["https://page.test/"])
    for origin in ("http://localhost:6274", "https://127.0.0.1", "https://page.test", "HTTPS://PAGE.TEST"):
        assert refusal(access, Host="localhost", Origin=origin) is None
    for origin in ("https://evil.example", "null", "https://page.test.evil.example", "http://page.test", "http://["):
        assert refusal(access, Host="localhost", Origin=origin) == 403


def test_other_machines_need_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(HTTP_TOKEN_VARIABLE, raising=False)
    for host in ("0.0.0.0", "192.168.1.2", "relay.test", "::"):
        with pytest.raises(UsageError, match=HTTP_TOKEN_VARIABLE):
            Access(host)
    monkeypatch.setenv(HTTP_TOKEN_VARIABLE, "s3cret")
    access = Access("0.0.0.0", hosts=["Relay.Test"])
    assert refusal(access, Host="192.168.1.2:80", Authorization="Bearer s3cret") is None
    assert refusal(access, Host="relay.test", Authorization="bearer s3cret") is None
    assert refusal(access, Host="evil.example", Authorization="Bearer s3cret") == 403
    for wrong in ("Bearer s3cre", "Basic s3cret", "s3cret", "Bearer ", "Bearer s3crét", "Bearer \udcff"):
        assert refusal(access, Host="192.168.1.2", Authorization=wrong) == 401
    assert refusal(access, Host="192.168.1.2") == 401


def test_a_token_that_is_set_counts_on_this_machine_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(HTTP_TOKEN_VARIABLE, "s3cret")
    access = Access("localhost")
    assert refusal(access, Host="localhost") == 401
    assert refusal(access, Host="localhost", Authorization="Bearer s3cret") is None
