"""Model backends: one shape of message, one abstract method."""
