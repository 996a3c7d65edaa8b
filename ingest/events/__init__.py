"""What is personal of a closed event, counted and purged."""
