"""The one error a user can cause: a bad file, argument, parameter or message."""


class UserError(Exception):
    """Something the user can mend; its text is one line that names the fix.

    The command line prints it and exits with status 2; a node logs it and refuses to configure.
    """
