"""What services say in words: limits that pass or last, and when to come back."""
