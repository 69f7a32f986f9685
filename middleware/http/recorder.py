"""The memory as the HTTP transports use it: relays of many clients that share one writer, and its tickets awaited."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from middleware.defects import Defects
from middleware.intent import Intents
from middleware.lane import COMMIT_WAIT_S
from middleware.memory.identity import server_uid
from middleware.memory.writer import Writer, report_to_stderr
from middleware.recording import Recording
from middleware.relay import Passage, Relay
from middleware.settings import DEFAULTS, Settings

_CLIENTS = 1_000  # without a session that are told apart; the least recently seen is forgotten first
_END_S = 2.0  # the longest that the writer's last words may take

# Puts a message of ours between two others of a stream.
Insert = Callable[[bytes], None]


class Recorder:
    """Records what passes between any number of clients and one server; made and used inside one event loop."""

    def __init__(
        self,
        memory: Path,
        *,
        name: str,
        command: Sequence[str],
        trial_token: str | None,
        settings: Settings = DEFAULTS,
    ) -> None:
        """`command` is what the server is known by and shown as: its command, or its URL without secrets."""
        self._settings = settings
        self._intents = Intents()  # all relays' here, since all are in front of one server
        self._loop = asyncio.get_running_loop()
        self._name = name
        self._command = command
        self._trial_token = trial_token
        self._server_uid = server_uid(name, command)
        self._writer = Writer(memory, self._server_uid, wake=self._wake, report=report_to_stderr)
        self._hints = self._writer.hints
        self._sending: asyncio.TimerHandle | None = None  # of what the writer keeps back
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()
        self._clients: OrderedDict[Hashable, Recording] = OrderedDict()
        self._streams: list[tuple[Relay, Insert]] = []
        self._settling: set[Relay] = set()  # whose cancelled calls an alarm will close
        self._defects = Defects()
        self._writer.start()

    def session(self) -> Relay:
        """Return the relay of a new session."""
        return self._relay(self._recording())

    def exchange(self, client: Hashable) -> Relay:
        """Return a relay for one exchange with a client that has no session; `client` is what it is known by."""
        if client not in self._clients:
            self._keep(client, self._recording())
        self._clients.move_to_end(client)
        return self._relay(self._clients[client], is_shared=True)

    def stay_with(self, client: Hashable, relay: Relay) -> None:
        """Let further exchanges with `client` go on from `relay`, in which it introduced itself and got no session."""
        self._keep(client, relay.share())

    def _keep(self, client: Hashable, recording: Recording) -> None:
        if client in self._clients:
            self._clients.pop(client).end()
        self._clients[client] = recording
        if len(self._clients) > _CLIENTS:
            self._clients.popitem(last=False)[1].end()

    def client_message(self, relay: Relay, data: bytes, size: int | None = None) -> None:
        """Have `relay` take note of a message from its client, and have that written; see `Relay.client_message`."""
        try:
            relay.client_message(data, size)
        except Exception as error:  # noqa: BLE001 - a defect of ours must never cost the server its question
            self._defects.say(error)
        self.noted(relay)

    def server_message(self, relay: Relay, data: bytes, size: int | None = None) -> Passage:
        """Have `relay` take note of a message from the server; see `Relay.server_message`."""
        try:
            return relay.server_message(data, size)
        except Exception as error:  # noqa: BLE001 - nor the client its answer
            self._defects.say(error)
            return Passage(data)

    async def durable(self, ticket: int) -> None:
        """Wait until what was submitted up to `ticket` is durable, or has gone to the spool because that took long."""
        writer = self._writer
        writer.send_now()
        if ticket <= writer.done:
            return
        if not writer.stalled:
            waiter = self._loop.create_future()
            self._waiting.append((ticket, waiter))
            alarm = self._loop.call_later(COMMIT_WAIT_S, _resolve, waiter)
            try:
                await waiter
            finally:
                alarm.cancel()
        if ticket > writer.done:
            writer.give_up(ticket)

    def noted(self, relay: Relay) -> None:
        """Have what `relay` has recorded written, and its cancelled calls closed when they are due."""
        due_in = relay.settle()
        if due_in is not None and relay not in self._settling:
            self._settling.add(relay)
            self._loop.call_later(due_in, self._settle, relay)
        self._send()

    def _send(self) -> None:
        self._writer.send()
        kept_for = self._writer.send_in()
        if kept_for is not None and self._sending is None:
            self._sending = self._loop.call_later(kept_for, self._send_kept)

    def _send_kept(self) -> None:
        self._sending = None
        self._send()

    def _settle(self, relay: Relay) -> None:
        self._settling.discard(relay)
        self.noted(relay)

    @contextmanager
    def listening(self, relay: Relay, insert: Insert) -> Iterator[None]:
        """While a stream to the client of `relay` is open: tell it through `insert` of hints that have changed."""
        entry = (relay, insert)
        self._streams.append(entry)
        try:
            yield
        finally:
            self._streams.remove(entry)

    async def close(self) -> None:
        """Write what is left; what cannot be written now stays in the spool."""
        for recording in self._clients.values():
            recording.end()
        await asyncio.to_thread(self._writer.close, _END_S)

    def _recording(self) -> Recording:
        return Recording(
            self._writer.submit,
            server_uid=self._server_uid,
            name=self._name,
            command=self._command,
            transport="http",
            settings=self._settings,
        )

    def _relay(self, recording: Recording, *, is_shared: bool = False) -> Relay:
        return Relay(
            recording,
            lambda: self._writer.hints,
            trial_token=self._trial_token,
            settings=self._settings,
            intents=self._intents,
            shares_recording=is_shared,
        )

    def _wake(self) -> None:
        # On the writer's thread, which may have a last word when the loop has none.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._woken)

    def _woken(self) -> None:
        done = self._writer.done
        while self._waiting and (self._waiting[0][0] <= done or self._waiting[0][1].done()):
            _resolve(self._waiting.popleft()[1])
        if self._writer.hints is not self._hints:
            self._hints = self._writer.hints
            for relay, insert in list(self._streams):
                for line in relay.hints_changed():
                    insert(line)


def _resolve(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
