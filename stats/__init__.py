"""Figures, health and metrics; the dashboard, and alerts that reach a person."""
