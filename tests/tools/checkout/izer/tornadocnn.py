"""The device: one quadrant layout, small numbers."""


class Device:
    """What ai8xsim-export reads of a device."""
    backend = 'max7800x'
    partnum = 'MAX78000'
    APB_BASE = 0x50000000
    SUPPORT_PIPELINE = False
    P_NUMPRO, P_SHARED = 16, 4
    C_FIFO_BASE, FIFO_REG = 0, 2
    FAST_FIFO_BASE, FAST_FIFO_DR = 0x400c0400, 4
    C_SRAM_BASE, C_GROUP_OFFS, INSTANCE_SIZE = 0x400000, 0x400000, 2048


class OtherDevice(Device):
    """A part without accelerator."""
    backend = 'cmsisnn'
    partnum = 'CMSIS-NN'


dev = None
