"""Simulated tools as MCP servers: a safe world to practise in."""
