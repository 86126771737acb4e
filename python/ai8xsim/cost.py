"""What a structure costs: latency, energy and memory without weights or a run, for searches."""
import collections

from ai8xsim._native import call, failure, ffi, find_part, lib, text
from ai8xsim.network import Network

Cost = collections.namedtuple('Cost', 'feasible reason cycles seconds joules macs kernel_words kernel_capacity '
                                      'data_words data_capacity')
Cost.__doc__ = """What a network costs on a part.

``feasible`` and, where it is not, ``reason``; ``cycles`` and ``seconds`` of one inference, ``joules`` (estimate, see
docs/energy.md), ``macs``, and the memory that it takes of the part's: kernel words of 72 bit, data words of 32 bit."""


def cost(network, part=None):
    """What one inference costs: a :class:`Cost`. A network that the part cannot run is an answer, no exception.

    :param network: a Network, or the path or the text of a description
    :param part: "MAX78000" or "MAX78002"; None: the description's, else MAX78000
    """
    if not isinstance(network, Network):
        network = Network(network)
    handle = find_part(part or text(network.handle.part) or 'MAX78000')
    result, error = ffi.new('ai8x_cost *'), ffi.new('ai8x_error *')
    status = lib.ai8x_network_cost(network.handle, handle, result, error)
    if status == lib.AI8X_OK:
        return Cost(True, '', *(getattr(result, name) for name in Cost._fields[2:]))
    if status == lib.AI8X_ERR_NETWORK:
        return Cost(False, text(error.message), *[None] * 8)
    raise failure(status, text(error.message))
