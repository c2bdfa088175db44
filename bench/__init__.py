"""Measurements: ratios against a peer or the raw limit in the same run. `make bench ONLY=router` runs one."""
