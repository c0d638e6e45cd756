"""tree-sitter: what a source file defines, and where."""
