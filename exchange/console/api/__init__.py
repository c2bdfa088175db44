"""`/api/v1`: what the console shows, as JSON."""
