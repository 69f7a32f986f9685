"""An address to listen on, as people write it."""

from middleware.errors import UsageError


def parse_address(address: str) -> tuple[str, int]:
    """Return host and port of `HOST:PORT`; port 0 is any free one.

    Raises:
        UsageError: it is not that.
    """
    host, colon, port = address.rpartition(":")
    if not colon or not host or not port.isdecimal() or int(port) > 65535:
        raise UsageError(f"--http {address}: write HOST:PORT, as in 127.0.0.1:8000")
    return host.removeprefix("[").removesuffix("]"), int(port)
