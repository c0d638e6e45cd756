"""All that is known of the Qwen 2.5 Coder family, and nothing about servers or screens."""
