"""System checks: a wrong installation does not start, and says what to change."""
