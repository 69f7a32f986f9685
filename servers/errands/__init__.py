"""Tasks that need the tools of two servers: one file a pair."""
