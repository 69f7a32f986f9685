"""Which exceptions are said to a person in one line; any other is a defect of ours and keeps its traceback."""

# By the name of the base class, because importing the packages' errors would load what a command does not need.
_BASES = frozenset(
    {"AdapterError", "ArtefactError", "LearnerError", "MemoryFileError", "MiddlewareError", "ServerError"}
)


def failure_line(error: Exception) -> str | None:
    """Return the line to print for `error`, or None when it is not one that we raise for people."""
    if any(base.__name__ in _BASES for base in type(error).__mro__):
        return " ".join(str(error).split())
    return None
