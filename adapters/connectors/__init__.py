"""Ways in and out of an EDMS."""
