"""A letter's evidence: what proves to anybody, years later, what happened to it (docs/evidence.md).

journalled   one letter's decision, straight from the journal, for openssl alone
gathering    all that was said about a letter, out of the archive, looked at again
archived     an archive as it is taken out of: a folder, or an address
standing     how far the entries about a letter stand in the log
events       what each statement is, in the words of ETSI EN 319 522
withholding  which contents are left out
proving      the directory's files that prove whose certificate it was
package      the package's files and `case.json`
container    zip, ASiC-S and ASiC-E
commands     what anybody types to check a package with stock tools
"""
