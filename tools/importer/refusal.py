"""Why an import ends without a program."""


class Refused(Exception):
    """The network cannot be imported; the text names the node and says why."""


class Differs(Exception):
    """The program is not what the model computes; the text says where."""
