"""What can go wrong between client and server, beyond what either of them says.

MiddlewareError
├── CommandError    the server's command cannot be run, or ended at once
├── UpstreamError   a remote server cannot be reached
├── AddressError    the address to listen on cannot be had
├── UsageError      an option that cannot mean anything
└── ClientFileError a client's configuration file cannot be read, found or changed
"""


class MiddlewareError(Exception):
    """Base of the relay's own errors; the memory's are in `middleware.memory.errors`."""


class CommandError(MiddlewareError):
    """The server's command cannot be run, or ended before it said anything; the message names it and the next step."""


class UpstreamError(MiddlewareError):
    """A remote server cannot be reached, or answers with what is no MCP; the message names it and the next step."""


class AddressError(MiddlewareError):
    """The address to listen on cannot be had; the message names it and the next step."""


class UsageError(MiddlewareError):
    """An option cannot mean anything; the message names it and what would."""


class ClientFileError(MiddlewareError):
    """A client's configuration file cannot be found, read or changed, and was not; the message names it and the next
    step."""
