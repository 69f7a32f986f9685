"""A simulated issue tracker."""
