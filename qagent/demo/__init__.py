"""`qagent demo`: the whole loop on a sample repository, played by a scripted Qwen over real HTTP. No LLM runs."""
