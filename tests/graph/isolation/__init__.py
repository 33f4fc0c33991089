"""Nothing of another tenant, nor of the other mode, through the whole graph."""
