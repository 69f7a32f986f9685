"""Which exceptions are said to a person in one line; any other is a defect of ours and keeps its traceback."""

# By the name of the base class, because importing the packages' errors would load what a command does not need.
_BASES = frozenset(
    {"AdapterError", "ArtefactError", "LearnerError", "MemoryFileError", "MiddlewareError", "ServerError"}
)
_PACKAGES = frozenset({"adapters", "learner", "middleware", "servers"})


def failure_line(error: Exception) -> str | None:
    """Return the line to print for `error`, or None when it is not one that we raise for people."""
    if isinstance(error, ImportError) and (error.name or "").partition(".")[0] in _PACKAGES:
        return f"{error}; is another project's package in place of ours? ask learner doctor"
    if isinstance(error, RuntimeError) and "home directory" in str(error):  # pathlib has no class of its own for it
        return "no home directory is known for this user, or for the one that ~ names; set HOME, or spell the path out"
    if any(base.__name__ in _BASES for base in type(error).__mro__):
        return " ".join(str(error).split())
    return None
