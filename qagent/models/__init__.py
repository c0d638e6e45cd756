"""Servers as token pumps: a prompt's exact text in, a stream of text and usage out. They know nothing of calls."""
