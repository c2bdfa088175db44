"""The archive's own disk: the transparency logs (ADR 0018), what finds entries in them, and contents."""
