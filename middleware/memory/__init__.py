"""The record of every call: SQLite, its writer, its reader, and the indexes derived from it."""
