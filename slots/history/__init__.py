"""Who changed what of a slot or the settings, and how to bring it back."""
