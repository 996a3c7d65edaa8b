"""Threads for what blocks: bounded, fair, and left behind when they hang."""
