"""What can go wrong in a simulated server.

ServerError
├── UnknownWorldError   no simulated server has that name
└── ToolError           a tool refuses a call; its text goes to the model, as an `is_error` result
"""


class ServerError(Exception):
    """Base of every error this package raises."""


class UnknownWorldError(ServerError):
    """No simulated server has that name."""


class ToolError(ServerError):
    """A tool refuses a call. The text holds what the model needs to try again, or as much as real servers tell."""
