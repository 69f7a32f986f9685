"""What can go wrong in a simulated server.

ServerError
├── AddressError        an address to serve at cannot be had
├── UnknownWorldError   no simulated server has that name
├── FaultPlanError      a plan of faults that is not there, or cannot be used
└── ToolError           a tool refuses a call; its text goes to the model, as an `is_error` result
"""


class ServerError(Exception):
    """Base of every error this package raises."""


class AddressError(ServerError):
    """An address to serve at cannot be had."""


class UnknownWorldError(ServerError):
    """No simulated server has that name."""


class FaultPlanError(ServerError):
    """A plan of faults is not there, or cannot be used."""


class ToolError(ServerError):
    """A tool refuses a call. The text holds what the model needs to try again, or as much as real servers tell."""
