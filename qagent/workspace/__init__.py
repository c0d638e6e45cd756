"""The project's folder: safe paths, what is ignored, what is secret, reading and atomic writing."""
