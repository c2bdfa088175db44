"""Certificates, signatures and the signed directory (protocol 1.4, 3.2, 5.3 and 8).

errors              what is refused here, with reason codes
purpose             what a certificate may be used for
validity            intervals of time in which certificates hold
keys                private keys and certificates from files
certificates        what stands in certificates that are issued here
authority           the two roots, and what they issue
der                 the little DER that a fixed shape needs
form                the bytes of the one accepted signature (rule 1.4)
cades               signing and verifying in that form
chain               whether a certificate leads to a trusted root, and how long (rule 3.2)
log_keys            keys of transparency logs and witnesses, and the policy that says whose count
timestamps          time-stamps of an authority outside: a package of its own
directory           the signed directory: a package of its own
enrolment           a body's request to be let in, and the answer, as files
enrolment_rules     whether a request may be granted, and its answer installed
documents           documents' own signatures, reported and never judged by: a package of its own
crl                 revocation lists of issuers; `crl_folder` keeps them in files
renewal             a body's next key, beside the present one
trust               whether a signed statement holds, as numbered steps
tokens              by which a body's own systems are known; token_file keeps their digests
files               writing a file whole or not at all
"""
