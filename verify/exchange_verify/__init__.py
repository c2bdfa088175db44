"""Verifies a letter's evidence package (docs/evidence.md) offline, trusting nothing that is in it.

Read `steps` first: what is looked at, in order. `container` opens zips, `case` is what the package's index must say,
`avro` reads statements and decisions, `cms` signatures, `directory` who had which certificate, `certificates` whether
it was valid, `log` the transparency log, `stamps` time-stamps. Nothing of `exchange` is imported: this is a second
implementation. Whatever does not hold is a `Refused` that names the file.
"""
