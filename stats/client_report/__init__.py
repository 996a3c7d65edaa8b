"""The report for an event's client."""
