"""A simulated document store."""
