"""The schema of the memory, as numbered steps. A released step is never edited: a mistake gets the next number.

Times are UTC, ISO 8601 with milliseconds. `*_json` columns hold JSON text. What the relay writes is keyed by text
(`server_uid`, `session_uid`, `uid`) made by the relay itself, so that a record which went through the spool needs no
look-up when it is taken in, and taking it in twice changes nothing.
"""

import apsw

# The relay's tables carry no foreign keys: records of one process may arrive in any order (spool), and an
# unreadable session must never cost a call. The learner's tables do.
M001_RELAY = """
CREATE TABLE servers (
    uid TEXT PRIMARY KEY,             -- hash of name and command
    name TEXT NOT NULL,
    command TEXT NOT NULL,            -- redacted, for people
    created_at TEXT NOT NULL
) STRICT;
CREATE TABLE tools (
    server_uid TEXT NOT NULL,
    hash TEXT NOT NULL,               -- of the definition as the upstream sent it
    name TEXT NOT NULL,
    definition_json TEXT NOT NULL,
    created_at TEXT NOT NULL,         -- when this definition was first seen
    PRIMARY KEY (server_uid, hash)
) STRICT, WITHOUT ROWID;
CREATE TABLE sessions (
    uid TEXT PRIMARY KEY,
    server_uid TEXT NOT NULL,
    client_name TEXT,                 -- NULL: the client did not say
    client_version TEXT,              -- NULL: the client did not say
    protocol_version TEXT,            -- NULL: ended before any was named
    transport TEXT NOT NULL,          -- stdio, http
    created_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;
-- Calls that were sent and have no outcome yet; a row goes when its call is written. What a killed relay leaves
-- here becomes a call with outcome no_answer, once its process is gone.
CREATE TABLE open_calls (
    uid TEXT PRIMARY KEY,
    pid INTEGER NOT NULL,
    process TEXT NOT NULL,            -- tells a process from a later one with the same pid
    record_json TEXT NOT NULL         -- the call so far, as the spool would hold it
) STRICT, WITHOUT ROWID;
CREATE TABLE calls (
    id INTEGER PRIMARY KEY,
    uid TEXT NOT NULL UNIQUE,
    server_uid TEXT NOT NULL,
    session_uid TEXT,                 -- NULL: imported
    trial_uid TEXT,                   -- NULL: the client was not the learner
    tool_name TEXT NOT NULL,
    tool_hash TEXT,                   -- NULL: the client never listed the tools
    outcome TEXT CHECK (outcome IN ('result', 'tool_error', 'protocol_error', 'cancelled', 'no_answer')),
                                      -- NULL: imported gold, never run
    created_at TEXT NOT NULL,         -- when the (first) request passed
    duration_ms REAL,                 -- to the (last) answer, with the time that people took to give input;
                                      -- NULL: no answer, or imported
    request_bytes INTEGER NOT NULL,   -- of the first request
    result_bytes INTEGER,             -- of the last answer; NULL: none, or imported
    jsonrpc_id TEXT,                  -- of the first request, JSON text; NULL: imported
    rounds INTEGER NOT NULL DEFAULT 1,  -- requests that it took: more than 1 where the server asked for input
    corrects TEXT,                    -- uid of the failed call whose mistake this good one does not make;
                                      -- NULL: none failed shortly before, or this call is not good
    error_code INTEGER,               -- NULL: not a JSON-RPC error
    -- The long ones stand last, so that whoever reads the others need not pass over them.
    error TEXT,                       -- NULL: no error; else its text, for people
    arguments_json TEXT,              -- NULL: the call had none, or they were not an object
    result_json TEXT                  -- NULL: no result; see outcome. Of a call without an answer: the last request
                                      -- for input, where there was one
) STRICT;
CREATE INDEX calls_of_trial ON calls (trial_uid) WHERE trial_uid IS NOT NULL;
-- What clients other than the learner called, in order of time: their trials are made from this.
CREATE INDEX calls_of_session ON calls (session_uid, created_at) WHERE trial_uid IS NULL;
CREATE INDEX calls_that_correct ON calls (corrects) WHERE corrects IS NOT NULL;
-- Holds all that counting calls and failures needs, so that a million calls are counted without reading them.
CREATE INDEX calls_of_tool ON calls (server_uid, tool_name, outcome);
"""

M002_LEARNER = """
CREATE TABLE episodes (
    id INTEGER PRIMARY KEY,
    uid TEXT NOT NULL UNIQUE,
    server_uid TEXT,                  -- NULL: spans servers
    model TEXT NOT NULL,
    settings_json TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT;
CREATE TABLE trials (
    id INTEGER PRIMARY KEY,
    uid TEXT NOT NULL UNIQUE,
    episode_uid TEXT REFERENCES episodes (uid),  -- NULL: not part of an episode
    server_uid TEXT,                  -- NULL: spans servers
    query TEXT,                       -- NULL: a foreign client gave none
    source TEXT NOT NULL CHECK (source IN ('live', 'explore', 'import', 'evaluate')),
    model TEXT,                       -- NULL: unknown
    origin TEXT,                      -- NULL: lived through; else where from, as JSON: [SUITE, SPLIT, ID]
    created_at TEXT NOT NULL,
    session_uid TEXT,                 -- NULL: its calls name it. Else its calls are those of this session that name
                                      -- no trial, from created_at to last_call_at; its uid is that of the first
    last_call_at TEXT                 -- when its last request passed; NULL: its calls name it
) STRICT;
CREATE INDEX trials_of_session ON trials (session_uid, last_call_at) WHERE session_uid IS NOT NULL;
CREATE UNIQUE INDEX trials_once_by_origin ON trials (origin) WHERE origin IS NOT NULL;
CREATE TABLE verdicts (
    id INTEGER PRIMARY KEY,
    trial_uid TEXT NOT NULL REFERENCES trials (uid) ON DELETE CASCADE,
    judge TEXT NOT NULL,              -- gold, responses, or a model's name
    label TEXT NOT NULL CHECK (label IN ('solved', 'failed', 'unclear')),
    confidence REAL NOT NULL CHECK (confidence BETWEEN 0 AND 1),
    reason TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT;
CREATE INDEX verdicts_of_trial ON verdicts (trial_uid);
CREATE TABLE artefacts (
    name TEXT PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('prompt', 'dataset', 'preferences', 'lora')),
    path TEXT NOT NULL,
    manifest_json TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT;
CREATE TABLE artefact_trials (
    artefact TEXT NOT NULL REFERENCES artefacts (name) ON DELETE CASCADE,
    trial_uid TEXT NOT NULL REFERENCES trials (uid),
    PRIMARY KEY (artefact, trial_uid)
) STRICT, WITHOUT ROWID;
-- What an artefact would append to a tool's description; it is shown only while that artefact is being served, and
-- only under the very definition it was learned for.
CREATE TABLE hints (
    artefact TEXT NOT NULL REFERENCES artefacts (name) ON DELETE CASCADE,
    server_uid TEXT NOT NULL,
    tool_hash TEXT NOT NULL,
    tool_name TEXT NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (artefact, server_uid, tool_hash)
) STRICT, WITHOUT ROWID;
-- One row for each apply and rollback; a server's last row says what its relays show now.
CREATE TABLE servings (
    id INTEGER PRIMARY KEY,
    server_uid TEXT NOT NULL,
    action TEXT NOT NULL CHECK (action IN ('apply', 'rollback')),
    artefact TEXT REFERENCES artefacts (name) ON DELETE SET NULL,  -- NULL: nothing is served
    created_at TEXT NOT NULL
) STRICT;
CREATE INDEX servings_of_server ON servings (server_uid, id);
CREATE TABLE evaluations (
    id INTEGER PRIMARY KEY,
    suite TEXT NOT NULL,
    split TEXT NOT NULL,
    model TEXT NOT NULL,
    artefact TEXT,                    -- NULL: none was used
    summary_json TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT;
CREATE TABLE predictions (
    evaluation_id INTEGER NOT NULL REFERENCES evaluations (id) ON DELETE CASCADE,
    case_id TEXT NOT NULL,
    calls_json TEXT NOT NULL,
    scores_json TEXT NOT NULL,
    PRIMARY KEY (evaluation_id, case_id)
) STRICT, WITHOUT ROWID;
"""

# External-content index over calls, for browsing; the learner's reader catches up by row id, the relay never writes it.
M003_SEARCH = """
CREATE VIRTUAL TABLE calls_fts USING fts5 (
    tool_name, arguments_json, result_json, error,
    content='calls', content_rowid='id', tokenize='porter unicode61'
);
CREATE TABLE calls_fts_state (
    last_id INTEGER NOT NULL          -- calls up to this id are in calls_fts
) STRICT;
INSERT INTO calls_fts_state VALUES (0);
"""

# What a model said a call was for; how much of a call was kept; which calls an artefact's hints were made from, so that
# forgetting a call forgets what was learned from it. A call that is forgotten in flight will still be written by its
# relay when it ends, so the memory itself refuses it.
M004_PRIVACY = """
ALTER TABLE calls ADD COLUMN intent TEXT /* what the model said it was for; NULL: it was not asked, or said nothing */;
ALTER TABLE calls ADD COLUMN capture TEXT CHECK (capture IN ('full', 'cut', 'off'))
    /* how much of arguments, result and error was to be kept; off: these, intent and jsonrpc_id are NULL, whatever they
    were; NULL: imported, or older than this column */;
CREATE TABLE artefact_calls (
    artefact TEXT NOT NULL REFERENCES artefacts (name) ON DELETE CASCADE,
    call_uid TEXT NOT NULL,           -- a call that the artefact's hints were made from
    PRIMARY KEY (artefact, call_uid)
) STRICT, WITHOUT ROWID;
CREATE TABLE forgotten_calls (
    uid TEXT PRIMARY KEY              -- of a call that was in flight when it was forgotten, and is never written again
) STRICT, WITHOUT ROWID;
CREATE TRIGGER calls_stay_forgotten BEFORE INSERT ON calls
    WHEN EXISTS (SELECT 1 FROM forgotten_calls WHERE uid = NEW.uid) BEGIN SELECT RAISE(IGNORE); END;
CREATE TRIGGER open_calls_stay_forgotten BEFORE INSERT ON open_calls
    WHEN EXISTS (SELECT 1 FROM forgotten_calls WHERE uid = NEW.uid) BEGIN SELECT RAISE(IGNORE); END;
-- Deleting a trial or an episode looks for what refers to it.
CREATE INDEX artefact_trials_of_trial ON artefact_trials (trial_uid);
CREATE INDEX trials_of_episode ON trials (episode_uid) WHERE episode_uid IS NOT NULL;
"""

STEPS = (
    ("m001_relay", M001_RELAY),
    ("m002_learner", M002_LEARNER),
    ("m003_search", M003_SEARCH),
    ("m004_privacy", M004_PRIVACY),
)


class SchemaError(Exception):
    """The file is no memory that this version can read: written by a newer one, or by another program."""


def migrate(connection: apsw.Connection, steps: tuple[tuple[str, str], ...] = STEPS) -> None:
    """Bring the memory's schema up to date, in one transaction: all steps that are missing, with their names, or none.

    Safe to run from several processes at once: the first one in does the work.

    Raises:
        SchemaError: the file holds steps that this version does not know, or another program's tables.
        apsw.NotADBError: the file is not a database.
        apsw.BusyError: another process held the memory for longer than the busy timeout.
    """
    applied = _applied(connection)
    if applied == [name for name, _ in steps]:
        return
    unknown = [name for name in applied if name not in dict(steps)]
    if unknown:
        raise SchemaError(f"it has schema step {unknown[-1]}, which this version does not know")
    # One transaction for all: each would wait for the disk several times, and a relay's first call with it.
    connection.execute("BEGIN IMMEDIATE")
    try:
        applied = _applied(connection)
        if not applied:
            if connection.execute("SELECT 1 FROM sqlite_schema").fetchall():
                raise SchemaError("it is another program's database")
            connection.execute("CREATE TABLE migrations (name TEXT PRIMARY KEY, applied_at TEXT NOT NULL) STRICT")
        for name, sql in steps:
            if name not in applied:
                connection.execute(sql)
                connection.execute("INSERT INTO migrations VALUES (?, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))", (name,))
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _applied(connection: apsw.Connection) -> list[str]:
    if not connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'migrations'").fetchall():
        return []
    return [str(name) for (name,) in connection.execute("SELECT name FROM migrations ORDER BY rowid")]
