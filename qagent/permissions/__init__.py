"""May this call run? Pure rules over a call, its risk and a policy."""
