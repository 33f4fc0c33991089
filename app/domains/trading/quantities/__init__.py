"""What all of trading counts: sides, and whole numbers of the smallest units. It knows nothing else."""
