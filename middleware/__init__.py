"""What sits between an MCP client and an MCP server: relays, remembers, and shows what was learned."""
