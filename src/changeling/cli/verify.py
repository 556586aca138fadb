"""`changeling verify`: whether a file is as its signer left it."""

from dataclasses import dataclass
from pathlib import Path

import tyro

from changeling.provenance import verify


@dataclass(frozen=True)
class Verify:
    """Check a content credential. Exit codes: 0 trusted, 3 unknown signer, 4 altered, 5 none."""

    file: tyro.conf.Positional[Path]
    """A picture (PNG, JPEG, WebP) or a video (MP4)."""

    def run(self) -> int:
        """Verify."""
        verification = verify(self.file)
        print(verification.sentence)
        return verification.state.exit_code
