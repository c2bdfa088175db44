"""The HTTP connector: packages pushed to an EDMS's webhook, and collected from an endpoint of its."""
