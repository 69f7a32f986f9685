"""Who may talk to us over HTTP: the right Host and Origin, so that no web page can, and a token where anybody could.

A page in a browser may send requests to any address, and by DNS rebinding read the answers; it can choose neither the
Host nor the Origin that the browser names. See the section on security of
https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http
"""

import hmac
import ipaddress
import os
from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

from middleware.errors import UsageError
from middleware.memory.identity import HTTP_TOKEN_VARIABLE
from middleware.splice import encode

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Access:
    """What a request's headers must say before anything is done with it."""

    def __init__(self, host: str, *, hosts: Collection[str] = (), origins: Collection[str] = ()) -> None:
        """`host` is what we listen on; `hosts` and `origins` are allowed beside our own.

        Raises:
            UsageError: others than this machine could reach `host`, and no token is set.
        """
        self._token = os.environ.get(HTTP_TOKEN_VARIABLE) or None
        self._is_local = is_loopback(host)
        self._hosts = {name.lower() for name in (host, *hosts, *(_LOOPBACK if self._is_local else ()))}
        self._origins = {origin.lower().rstrip("/") for origin in origins}
        if self._token is None and not self._is_local:
            raise UsageError(
                f"--http {host}: others than this machine can reach that address; set {HTTP_TOKEN_VARIABLE} to a "
                "secret that clients then send as 'Authorization: Bearer SECRET', or listen on 127.0.0.1"
            )

    def refusal(self, headers: Mapping[str, str]) -> tuple[int, str] | None:
        """Return the status and the words to refuse a request with, None when it may pass."""
        host = _hostname(f"//{headers.get('Host', '')}")
        if not self._knows(host):
            return 403, f"Host {host!r} is not allowed here; allow it with --allow-host"
        origin = headers.get("Origin")
        if origin is not None and origin.lower() not in self._origins and not self._knows(_hostname(origin)):
            return 403, f"Origin {origin!r} is not allowed here; allow it with --allow-origin"
        if self._token is not None:
            scheme, _, token = headers.get("Authorization", "").partition(" ")
            known = hmac.compare_digest(encode(token.strip()), encode(self._token))  # headers may hold any bytes
            if scheme.lower() != "bearer" or not known:
                return 401, f"send 'Authorization: Bearer' with the token that {HTTP_TOKEN_VARIABLE} holds"
        return None

    def _knows(self, host: str | None) -> bool:
        # An address cannot be rebound as a name can; behind a token, any of this machine's will do.
        return host is not None and (host in self._hosts or (not self._is_local and _is_address(host)))


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach `host`."""
    try:
        return host.lower() == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _hostname(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None
