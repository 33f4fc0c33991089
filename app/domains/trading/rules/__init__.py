"""What all of trading counts in. Pure."""
