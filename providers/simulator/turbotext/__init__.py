"""The simulated Turbotext."""
