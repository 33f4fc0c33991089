"""The ten analyses in the graph, a module for each."""
