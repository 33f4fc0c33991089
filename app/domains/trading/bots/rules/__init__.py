"""What a bot may be set to, and what it decides. Pure."""
