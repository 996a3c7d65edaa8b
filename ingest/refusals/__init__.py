"""Requests that became no job: why, from which booth, how often."""
