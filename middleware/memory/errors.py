"""What can go wrong with the memory.

MemoryFileError
└── MemoryBusyError    another process holds it
"""


class MemoryFileError(Exception):
    """The memory cannot be opened; the message names the file and the next step."""


class MemoryBusyError(MemoryFileError):
    """Another process held the memory for longer than the busy timeout."""
