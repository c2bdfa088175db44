"""The archive: puts the journal into the transparency log and publishes signed checkpoints of it (rules 5.1, 5.2, 3.5).

entries       from a record of the journal to a leaf, and what finds it again
taking        follows the journal into the logs
disk          the archive's folder as the two that use it share it
checkpoints   signs how far the logs are, has it witnessed, and publishes it
standing      what must be so before anything is signed: nobody saw more of this log, or something else
proofs        which origins get a proof of their last statement
topic         what stands in `exchange.checkpoints`
disputes      a witness says that it knows another log than ours
publication   puts what is public into an object store
stamping      has checkpoints stamped by an authority (RFC 3161); renewing keeps that provable (RFC 4998)
serving       serves all of it over HTTP; parts: an answer of bytes, or of a part of them
deleting      lawful deletion of contents, on the word of the journal alone
enduring      goes on after what passes; again: when
metrics       what it counts
"""
