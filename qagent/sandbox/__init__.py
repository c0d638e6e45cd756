"""What commands are confined by. Knows the system, and no tool, no model and no rule about who may run what."""
