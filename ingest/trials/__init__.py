"""Test runs of a slot from the console: their rows, and the pictures of its versions."""
