"""Turbotext's driver: queue a task, poll it, download the picture."""
