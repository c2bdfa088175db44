"""One module per version, oldest first; a released one never changes."""
