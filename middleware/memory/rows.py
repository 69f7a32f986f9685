"""What relays write, as SQL: one statement or two for each kind of record, and what the dead have left."""

import json
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import apsw

from middleware.memory.processes import process_is_gone
from middleware.memory.spool import Record, dead_spools

# (hash of a tool's definition, its name) → the text to append to its description
HintTexts = Mapping[tuple[str, str], str]

_BATCH = 200  # records in one transaction

# A record may come twice (spooled, and committed after all): only the same uid is ignored, no other conflict.
_STATEMENTS = {
    "server": ("INSERT INTO servers VALUES (:uid, :name, :command, :created_at) ON CONFLICT DO NOTHING",),
    "session": (
        """INSERT INTO sessions VALUES
        (:uid, :server_uid, :client_name, :client_version, :protocol_version, :transport, :created_at)
        ON CONFLICT (uid) DO UPDATE SET
            client_name = coalesce(excluded.client_name, client_name),
            client_version = coalesce(excluded.client_version, client_version),
            protocol_version = coalesce(excluded.protocol_version, protocol_version)""",
    ),
    "tool": (
        """INSERT INTO tools VALUES (:server_uid, :hash, :name, :definition_json, :created_at)
        ON CONFLICT DO NOTHING""",
    ),
    "open": (
        """INSERT INTO open_calls SELECT :uid, :pid, :process, :record_json
        WHERE NOT EXISTS (SELECT 1 FROM calls WHERE uid = :uid)
        ON CONFLICT (uid) DO UPDATE SET record_json = excluded.record_json""",
    ),
    "call": (
        """INSERT INTO calls (uid, server_uid, session_uid, tool_name, tool_hash, arguments_json, result_json, outcome,
            error, error_code, created_at, duration_ms, request_bytes, result_bytes, jsonrpc_id, rounds,
            corrects, trial_uid, capture, intent)
        VALUES (:uid, :server_uid, :session_uid, :tool_name, :tool_hash, :arguments_json, :result_json, :outcome,
            :error, :error_code, :created_at, :duration_ms, :request_bytes, :result_bytes, :jsonrpc_id, :rounds,
            :corrects, :trial_uid, :capture, :intent)
        ON CONFLICT (uid) DO NOTHING""",
        "DELETE FROM open_calls WHERE uid = :uid",
    ),
}

# What calls in the spools of earlier versions lack.
_LATER = {"capture": None, "intent": None}


def write(connection: apsw.Connection, records: Sequence[Record]) -> int:
    """Write `records` in one transaction and return how many were malformed, and so left out.

    Raises:
        apsw.Error: the memory cannot be written (apsw.BusyError: now); nothing was.
    """
    answered = {record.get("uid") for record in records if record.get("kind") == "call"}
    malformed = 0
    connection.execute("BEGIN IMMEDIATE")
    try:
        for record in records:
            kind = record.get("kind")
            if kind == "open" and record.get("uid") in answered:
                continue
            try:
                if kind == "open":
                    record = {**record, "record_json": json.dumps(record["call"])}
                elif kind == "call":
                    record = {**_LATER, **record}
                for statement in _STATEMENTS[str(kind)]:
                    connection.execute(statement, record)
            except (KeyError, TypeError, ValueError, OverflowError, *_RECORD_ERRORS):
                malformed += 1
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return malformed


# What a single record can be guilty of; anything else is wrong with the memory.
_RECORD_ERRORS = (apsw.ConstraintError, apsw.MismatchError, apsw.BindingsError, apsw.TooBigError, apsw.RangeError)


def take_in_spools(connection: apsw.Connection, path: Path) -> int:
    """Write what dead processes had to spool for the memory at `path`; return how many records were read.

    Records that are there already are ignored. Spools of living processes are left to them.

    Raises:
        apsw.Error: the memory cannot be written (apsw.BusyError: now); the spools stay as they are.
    """
    count = 0
    for spool in dead_spools(path):
        for records in spool.records(_BATCH):
            write(connection, records)
            count += len(records)
        spool.remove()
    return count


def close_orphans(connection: apsw.Connection) -> int:
    """Turn calls in flight whose process is gone into calls without an answer; return how many.

    Raises:
        apsw.Error: the memory cannot be written (apsw.BusyError: now); nothing was.
    """
    found = connection.execute("SELECT uid, pid, process, record_json FROM open_calls").fetchall()
    records = []
    for uid, pid, process, record_json in found:
        if process_is_gone(int(str(pid)), str(process)):
            with suppress(ValueError):
                records.append({**json.loads(str(record_json)), "kind": "call", "uid": uid})
    if records:
        write(connection, records)
    return len(records)


def missing(connection: apsw.Connection, uids: Collection[str]) -> set[str]:
    """Return those of `uids`, of servers and sessions, that are not in the memory: they were forgotten.

    Raises:
        apsw.Error: the memory cannot be read (apsw.BusyError: now).
    """
    rows = connection.execute(
        """
        SELECT value FROM json_each(?) WHERE value NOT IN (SELECT uid FROM servers)
            AND NOT EXISTS (SELECT 1 FROM sessions WHERE uid = value)
        """,
        (json.dumps(list(uids)),),
    )
    return {str(uid) for (uid,) in rows}


def served_hints(connection: apsw.Connection, server_uid: str) -> dict[tuple[str, str], str]:
    """Return the hints that a server's relays are to show now, none when nothing is served.

    Raises:
        apsw.Error: the memory cannot be read (apsw.BusyError: now).
    """
    rows = connection.execute(
        """SELECT tool_hash, tool_name, text FROM hints WHERE server_uid = :server AND artefact =
        (SELECT artefact FROM servings WHERE server_uid = :server ORDER BY id DESC LIMIT 1)""",
        {"server": server_uid},
    )
    return {(str(tool_hash), str(name)): str(text) for tool_hash, name, text in rows}
