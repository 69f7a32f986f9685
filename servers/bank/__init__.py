"""A simulated bank."""
