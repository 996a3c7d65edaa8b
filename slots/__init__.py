"""The fifteen slots, their recipes and history, and what operators set for them."""
