"""What a person does in the browser, served to this machine alone."""

from changeling.studio.rating import RatingServer

__all__ = ["RatingServer"]
