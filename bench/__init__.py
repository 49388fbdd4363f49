"""Measurements by ratio: ours, peers and the floor on the same input in one run (`make bench`)."""
