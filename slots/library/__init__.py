"""Recipes to begin with: built in, kept by operators, exchanged as files."""
