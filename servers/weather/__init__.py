"""A simulated weather service."""
