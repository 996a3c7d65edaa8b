"""What a print looks like: paper, frame, lettering."""
