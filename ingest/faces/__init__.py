"""Whether the people of a photo were kept: found and compared beside its path, not in it."""
