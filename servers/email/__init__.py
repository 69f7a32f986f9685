"""A simulated mail service."""
