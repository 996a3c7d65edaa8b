"""Prompts whose words change with the photo: the language, the booth's texts, and their filling."""
