"""Old drawings of a generator, kept for its judge."""

import torch
from torch import Tensor


class Pool:
    """Old drawings, so that a judge does not forget them (Shrivastava et al., arXiv 1612.07828)."""

    def __init__(self, size: int) -> None:
        """Keep up to `size` faces."""
        self.size = size
        self.faces = torch.empty(0)
        """(k, 3, s, s): the faces kept, k at most `size`."""

    def exchange(self, faces: Tensor) -> Tensor:
        """Return as many faces as are given (n, 3, s, s), some of them older ones.

        While the pool fills, faces are kept and returned. Then every other one, by chance, is
        kept in place of an old one, which is returned.
        """
        kept, given = list(self.faces), []
        for face in faces:
            if len(kept) < self.size:
                kept.append(face)
                given.append(face)
            elif torch.rand(()) < 0.5:
                place = int(torch.randint(self.size, ()))
                given.append(kept[place])
                kept[place] = face
            else:
                given.append(face)
        self.faces = torch.stack(kept)
        return torch.stack(given)
