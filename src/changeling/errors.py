"""The one exception for a mistake that the user can mend."""


class UserError(Exception):
    """One clear sentence: what is wrong, where (file or flag), and how to mend it.

    `cli` prints the sentence and exits with code 2; anything else that is raised is a bug.
    """
