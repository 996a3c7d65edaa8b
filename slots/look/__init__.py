"""Colours and logo of guests' pages, by event."""
