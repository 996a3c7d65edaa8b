"""Whether the people of a photo were kept: looked at beside its path, never in its way."""
