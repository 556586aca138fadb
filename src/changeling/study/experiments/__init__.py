"""The studies: what is tried on what, run cell by cell, and the pages that say what came out."""
