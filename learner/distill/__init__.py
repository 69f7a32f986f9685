"""From remembered trials to what a model can use."""
