"""One writer for the relays of many clients."""

import asyncio
import json
from pathlib import Path

from middleware.http.recorder import Recorder
from tests.middleware.http.peers import run
from tests.middleware.peer import call, remembered


def test_a_cancelled_call_has_one_alarm_however_much_passes_meanwhile(memory_file: Path) -> None:
    async def test() -> None:
        recorder = Recorder(memory_file, name="x", command=["x"], trial_token=None)
        relay = recorder.session()
        cancelled = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}}
        alarms = asyncio.get_running_loop()._scheduled  # type: ignore[attr-defined]  # private: where they show
        before = len(alarms)
        for message in (call(1, "hang"), cancelled, *(call(number, "say") for number in range(2, 50))):
            recorder.client_message(relay, json.dumps(message).encode())
        assert len(alarms) <= before + 2  # and one for what the writer keeps back
        relay.end()
        await recorder.close()

    run(test())
    assert ("hang", "cancelled") in remembered(memory_file)
