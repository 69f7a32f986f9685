"""The ids and progress tokens that are in use in a process which many clients share, and whose each is.

Clients choose them without knowing of each other. One that is in use already is replaced on the way in, and restored on
the way out; all others pass as they are. Sans-IO.
"""

import itertools
from collections import deque
from collections.abc import Container, Iterator
from typing import Any, Generic, TypeVar

from middleware.http.hosted.identifiers import ID_PATHS, PROGRESS_PATH, TOKEN_PATH, Path, text_at
from middleware.messages import at, id_key
from middleware.parsing import spell

_FORGOTTEN = 10_000  # given up requests whose ids are kept from being used again, in case they are answered still

Owner = TypeVar("Owner")


class Entry(Generic[Owner]):
    """One request: its id and its progress token in the process, and what was replaced for that."""

    def __init__(self, owner: Owner, message: dict[str, Any]) -> None:
        self.owner: Owner | None = owner  # None: it was given up
        self.identifier: object = message["id"]
        self.token: object = at(message, TOKEN_PATH)
        self.to_server: dict[Path, tuple[str, str]] = {}  # what to replace in the request,
        self.to_client: dict[Path, tuple[str, str]] = {}  # and what to restore in messages that belong to it


class InFlight(Generic[Owner]):
    """The requests that are open in one process."""

    def __init__(self) -> None:
        self._by_id: dict[object, Entry[Owner]] = {}  # newest last
        self._by_token: dict[object, Entry[Owner]] = {}
        self._forgotten: deque[Entry[Owner]] = deque()
        self._numbers = itertools.count(1)

    def enter(self, owner: Owner, message: dict[str, Any], line: bytes) -> Entry[Owner]:
        """Note a request, which is `message`, and `line` as text.

        Raises:
            ValueError: the line is no JSON where something in it has to be replaced.
        """
        entry = Entry(owner, message)
        if id_key(entry.identifier) in self._by_id and (own := text_at(line, ("id",))) is not None:
            entry.identifier = self._fresh(self._by_id)
            entry.to_server[("id",)] = own, spell(entry.identifier)
            entry.to_client.update(dict.fromkeys(ID_PATHS, (spell(entry.identifier), own)))
        if id_key(entry.token) in self._by_token and (own := text_at(line, TOKEN_PATH)) is not None:
            entry.token = self._fresh(self._by_token)
            entry.to_server[TOKEN_PATH] = own, spell(entry.token)
            entry.to_client[PROGRESS_PATH] = spell(entry.token), own
        self._by_id[id_key(entry.identifier)] = entry
        if entry.token is not None:
            self._by_token[id_key(entry.token)] = entry
        return entry

    def of_id(self, identifier: object) -> Owner | None:
        """Return whose request this is in the process; None: nobody's, or nobody's any more."""
        entry = self._by_id.get(id_key(identifier))
        return entry.owner if entry else None

    def of_token(self, token: object) -> Owner | None:
        """Return whose request gave this progress token."""
        entry = self._by_token.get(id_key(token))
        return entry.owner if entry else None

    def answered(self, identifier: object) -> Owner | None:
        """Return whose request this was; its id and token may be used again."""
        entry = self._by_id.get(id_key(identifier))
        if entry is None:
            return None
        self.leave(entry)
        return entry.owner

    def leave(self, entry: Entry[Owner]) -> None:
        """Let the request's id and token be used again."""
        for taken, name in ((self._by_id, entry.identifier), (self._by_token, entry.token)):
            if taken.get(id_key(name)) is entry:
                del taken[id_key(name)]

    def forget(self, entry: Entry[Owner]) -> None:
        """Note that nobody waits for the answer any more. It may be on its way, so its id and token stay in use."""
        entry.owner = None
        self._forgotten.append(entry)
        if len(self._forgotten) > _FORGOTTEN:
            self.leave(self._forgotten.popleft())

    def newest_first(self) -> Iterator[Owner]:
        """Yield whose requests are open."""
        for entry in reversed(self._by_id.values()):
            if entry.owner is not None:
                yield entry.owner

    def clear(self) -> None:
        """Forget all: the process has ended."""
        self._by_id.clear()
        self._by_token.clear()
        self._forgotten.clear()

    def _fresh(self, taken: Container[object]) -> str:
        while id_key(identifier := f"practicum-{next(self._numbers)}") in taken:
            pass
        return identifier
