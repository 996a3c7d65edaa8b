"""The page on which a guest sees and downloads a picture."""
