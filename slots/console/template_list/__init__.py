"""The console's list of template pictures."""
