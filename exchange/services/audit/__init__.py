"""What an auditor does with the archive's logs: verify them, prove entries, compare checkpoints."""
