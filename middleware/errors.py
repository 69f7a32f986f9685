"""What can go wrong between client and server, beyond what either of them says.

MiddlewareError
└── CommandError    the server's command cannot be run, or ended at once
"""


class MiddlewareError(Exception):
    """Base of the relay's own errors; the memory's are in `middleware.memory.errors`."""


class CommandError(MiddlewareError):
    """The server's command cannot be run, or ended before it said anything; the message names it and the next step."""
