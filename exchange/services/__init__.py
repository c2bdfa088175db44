"""Long-running services: router, tracker, replay; independent of each other."""
