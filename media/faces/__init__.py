"""Faces in pictures: find them, compare two pictures' faces. No rows, no Django."""
