"""What can go wrong with a model backend.

AdapterError
└── UnknownModelError    nobody knows a model of that name
"""


class AdapterError(Exception):
    """Base of every error this package raises."""


class UnknownModelError(AdapterError):
    """No backend is known for a model name."""
