"""The SQL connector: packages as rows of two pairs of tables (or views) in the EDMS's database."""
