"""A simulated travel agency."""
