"""Which process a row in the memory belongs to, and whether that process is gone."""

import os
from pathlib import Path


def process_identity(pid: int | None = None) -> str:
    """Return what tells a running process (this one by default) from another with the same pid, as `BOOT/PIDS/START`.

    "" where the system does not say (no /proc), or there is no such process.
    """
    pid = os.getpid() if pid is None else pid
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        namespace = Path("/proc/self/ns/pid").readlink()
        # The name in field 2 may hold spaces and parentheses; the start time is field 22.
        status = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return ""
    return "" if status[0] == b"Z" else f"{boot}/{namespace}/{status[19].decode()}"


def process_is_gone(pid: int, identity: str) -> bool:
    """Return whether the process that once called itself `pid` and `identity` has certainly ended."""
    own = process_identity().rpartition("/")[0]
    theirs = identity.rpartition("/")[0]
    if bool(own) != bool(theirs):
        return False  # one of the two could not see where it runs
    if own.partition("/")[0] != theirs.partition("/")[0]:
        return True  # another boot
    if own != theirs:
        return False  # another container on this machine: its pids say nothing here
    if own:
        return process_identity(pid) != identity
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass
    return False
