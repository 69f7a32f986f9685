"""A simulated office calendar."""
