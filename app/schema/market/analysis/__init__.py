"""The ten analyses in the graph, one module each."""
