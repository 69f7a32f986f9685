"""A remote MCP server: its URL, the headers that it wants from us, and the connections to it."""

import os
import re
import socket
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
from aiohttp.payload import Payload
from yarl import URL

from middleware.errors import UpstreamError, UsageError
from middleware.memory.writer import report_to_stderr

# Of one header, which may repeat an argument (bytes), and of all: the library's own are tighter than most servers'.
HEADER_LIMIT = 1 << 18
HEADERS_LIMIT = 1000
_CONNECT_S = 30.0
# How long a connection may be used again: less than the five seconds after which common servers close theirs, because
# a request that crosses the closing is lost, and may not be sent twice.
_REUSE_S = 4.0
_PROBE_S = 30  # of silence, before a connection is asked whether it lives: streams are open for days, laptops sleep
_REDIRECTS = 3
_HEADER_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")


class Upstream:
    """Where a remote server is, and what each request to it carries."""

    def __init__(self, name: str, url: str, headers: Mapping[str, str]) -> None:
        self.name = name
        self.headers = dict(headers)
        # For people, and what the server is known by: a key in the URL may change, and the server is the same.
        self.shown = shown_url(url)
        self._url = URL(url, encoded=url.isascii())  # which is sent as it was given
        self._proxy = _proxy_for(self._url)
        self._session: aiohttp.ClientSession | None = None
        self._has_refused = False

    async def request(
        self,
        method: str,
        headers: Sequence[tuple[str, str]],
        data: bytes | Payload | AsyncIterator[bytes] | None = None,
    ) -> aiohttp.ClientResponse:
        """Send a request with the server's own headers added, and return the response when its headers are here.

        Redirects are followed on the server's own host only: what we send is meant for nobody else. An iterator, which
        cannot be sent again, is not.

        Raises:
            UpstreamError: the server cannot be reached, or sends us elsewhere.
        """
        url = self._url
        own = {name.lower() for name in self.headers}
        pairs = [*((name, value) for name, value in headers if name.lower() not in own), *self.headers.items()]
        for _ in range(_REDIRECTS):
            try:
                response = await self._connections().request(
                    method, url, headers=pairs, data=data, allow_redirects=False, proxy=self._proxy
                )
            except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
                raise self.failure(error) from error
            if response.status not in (307, 308) or "Location" not in response.headers:
                return response
            response.release()
            location = response.headers["Location"]
            try:
                target = url.join(URL(location))
                is_ours = target.origin() == url.origin()
            except ValueError:  # it is no URL
                is_ours = False
            if not is_ours or isinstance(data, AsyncIterator):
                raise UpstreamError(
                    f"the server {self.name!r} at {self.shown} sends us on to {shown_url(location)}; "
                    "if that is right, give that URL with --url"
                )
            self._url = url = target
        raise UpstreamError(f"the server {self.name!r} at {self.shown} redirects in circles; check its URL")

    def note_refusal(self, status: int) -> None:
        """Tell the person, once, of a server that wants credentials: clients can give it none."""
        if status in (401, 403) and not self._has_refused:
            self._has_refused = True
            report_to_stderr(
                f"the server {self.name!r} at {self.shown} answered {status}: give it what it wants with "
                "--header NAME=VARIABLE, where the environment variable VARIABLE holds the value"
            )

    def failure(self, error: BaseException) -> UpstreamError:
        """Return the error that says why the server could not be talked to."""
        if isinstance(error, UpstreamError):
            return error
        # In the words of the system: aiohttp's own may hold the whole URL.
        reason, remedy = type(error).__name__, "check its URL and that it runs"
        if isinstance(error, aiohttp.ClientConnectorCertificateError):
            said = getattr(error.certificate_error, "verify_message", None) or str(error.certificate_error)
            reason = f"its certificate is not trusted ({said})"
            remedy = "if it is right, name a file that holds it, or its issuer's, in SSL_CERT_FILE"
        elif isinstance(error, TimeoutError):
            reason = f"no connection within {_CONNECT_S:g} s"
        elif isinstance(error, aiohttp.ServerDisconnectedError):
            reason = "it closed the connection without an answer"
        elif isinstance(error, aiohttp.ClientHttpProxyError):
            reason = f"the proxy refused with HTTP {error.status}"
        elif isinstance(error, OSError):
            cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
            reason = cause.strerror or str(cause) or reason
            if isinstance(cause, ssl.SSLError):  # whose numbers are its own, too
                words = (cause.reason or "no reason given").replace("_", " ").lower()
                reason = f"TLS failed ({words}); does it speak plain http?"
            elif cause.errno is not None and cause.errno > 0:  # look-ups of names have numbers of their own
                reason = os.strerror(cause.errno)
        way = f" through the proxy {shown_url(self._proxy)}" if self._proxy else ""
        return UpstreamError(f"the server {self.name!r} at {self.shown} cannot be reached{way}: {reason}; {remedy}")

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()

    def _connections(self) -> aiohttp.ClientSession:
        if self._session is None:  # made inside the running loop
            self._session = aiohttp.ClientSession(
                # No limit of connections: each open stream is one. Cookies are nobody's business here.
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_REUSE_S, socket_factory=_socket),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_S),
                read_bufsize=1 << 18,
                skip_auto_headers=("User-Agent", "Content-Type", "Accept"),
                max_line_size=HEADER_LIMIT,
                max_field_size=HEADER_LIMIT,
                max_headers=HEADERS_LIMIT,
            )
        return self._session


def _socket(address: tuple[Any, ...]) -> socket.socket:
    family, kind, protocol = address[:3]
    made = socket.socket(family, kind, protocol)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if hasattr(socket, "TCP_KEEPIDLE"):  # Linux, and macOS from Python 3.13 on
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _PROBE_S)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, _PROBE_S // 3)
    return made


def _proxy_for(url: URL) -> str | None:
    """Return the proxy that the environment names for `url`, as for other programs."""
    if url.host is None or proxy_bypass(url.host):
        return None
    return getproxies().get(url.scheme)


def headers_from_environment(given: Sequence[str], environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the headers that `NAME=VARIABLE` pairs stand for: values come from the environment only, because a
    command line is everybody's to read.

    Raises:
        UsageError: a pair is malformed, or its variable is not set.
    """
    headers = {}
    for pair in given:
        name, equals, variable = pair.partition("=")
        if not (_HEADER_NAME.fullmatch(name) and equals and variable.replace("_", "a").isalnum()):
            raise UsageError(
                f"--header {name}=...: write NAME=VARIABLE, where the environment variable VARIABLE holds the value"
            )
        value = environment.get(variable)
        if value is None:
            raise UsageError(f"--header {name}: the environment variable {variable} is not set")
        if not value.isprintable():
            raise UsageError(f"--header {name}: the value of {variable} holds characters that no header can")
        headers[name] = value
    return headers


def check_url(url: str) -> str:
    """Return `url`, which must be an absolute http or https one.

    Raises:
        UsageError: it is not.
    """
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
        good = good and not re.search(r"\s", url) and bool(URL(url, encoded=url.isascii()).host)
    except ValueError:
        good = False
    if not good:
        raise UsageError(f"--url {shown_url(url)}: give the server's whole URL, as in https://example.org/mcp")
    return url


def shown_url(url: str) -> str:
    """Return `url` without user, password, query and fragment: where people put their keys."""
    try:
        parts = urlsplit(url)
        return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
    except ValueError:
        return "[no URL]"
