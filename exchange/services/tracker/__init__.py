"""The tracker service: `service` follows the journal into the store, `metrics` counts what it brought."""
