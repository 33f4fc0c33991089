"""Settings of the system."""
