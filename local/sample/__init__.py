"""The sample lake: three neighbouring grid areas over an October, with the shapes of measured load, wind and sun."""
