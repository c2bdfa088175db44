"""`/api/v1`: what the console shows, as JSON."""

ROOT = "/api/v1"
