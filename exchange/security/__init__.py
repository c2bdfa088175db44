"""Certificates, signatures and the signed directory (protocol 1.4, 3.2, 5.3 and 8).

errors      what is refused here, with reason codes
purpose     what a certificate may be used for
keys        private keys and certificates from files
authority   certificates for development and tests
der         the little DER that a fixed form needs
cades       the one form of a detached signature (rule 1.4)
chain       certificate chains and the interval in which they hold (rule 3.2)
directory   the directory as a signed, versioned file
trust       whether a signed statement holds, as numbered steps
files       writing a file whole or not at all
"""
