"""The signed directory: a repository of The Update Framework (rules 3.2, 5.3; ADR 0011).

entries     what its files say, as canonical documents (canonical_json)
roots       whose keys sign it, and reading the framework's metadata
ceremony    making and signing a root
metadata    what proves a version
folder      versions in a folder, and reading them
changes     how entries may change
lists       the lists of a version that is to be: which are new, and what they say
draft       a change on its way from one keeper to another
publisher   who writes versions, and in which order
copy        a reader's own copy, from files that nobody needs to believe
history     how an entry came to be what it is
keys        keys of all its roles, for development and tests
"""
