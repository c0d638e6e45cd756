"""Finding the place and changing the text: pure functions on text, no files."""
