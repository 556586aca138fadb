"""Commands that measure; each prints its figures and writes them where they are told."""
