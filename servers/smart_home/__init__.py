"""A simulated smart home."""
