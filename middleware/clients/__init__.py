"""Puts the relay into MCP clients' configuration files, and takes it out again."""
