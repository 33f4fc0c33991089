"""What is sent to exchanges, and what comes of it. Pure."""
