"""A simulated address book."""
