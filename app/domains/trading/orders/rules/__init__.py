"""What orders can be placed, and what they reserve. Pure."""
