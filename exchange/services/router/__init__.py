"""The router service: `service` runs it, `writes` says what a transaction holds, `ground` by what it decides."""
