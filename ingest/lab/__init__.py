"""The lab: the same photos by several recipes, side by side, behind the booths' photos."""
