"""Model names to backends. Each backend is imported only when its name is asked for."""

from adapters.base import ChatModel
from adapters.errors import UnknownModelError

KNOWN = ("recall",)


def load_model(name: str) -> ChatModel:
    """Return the backend for `name`.

    Raises:
        UnknownModelError: no backend has that name.
    """
    if name == "recall":
        from adapters.recall import Recall

        return Recall()
    raise UnknownModelError(f"no model is called {name!r}; known: {', '.join(KNOWN)}")
