// What the core's time is made of: cycles of a block of code, and of an access that leaves the core.
//
// Estimates: one cycle for each 16-bit code unit. Accesses: peripherals lie behind a bridge at half the core's
// clock; the accelerator's figure fits the published times of examples that feed a FIFO (about 70 cycles for a
// status read and a data write) and the fixed 340 accelerator cycles of the others (timing reference).
#include "firmware/soc.h"

#define CORE_ACCESS_CYCLES 2
#define PERIPHERAL_ACCESS_CYCLES 4
#define CNN_ACCESS_CYCLES 25

uint64_t core_block_cycles(const struct ai8x_firmware *soc, uint32_t address, uint32_t bytes)
{
	(void)soc;
	(void)address;
	return bytes / 2;
}

uint64_t core_access_cycles(const struct ai8x_firmware *soc, uint32_t address, bool write)
{
	(void)soc;
	(void)write;
	if (address >= CORE_BASE)
		return CORE_ACCESS_CYCLES;
	return address >= CNN_BASE ? CNN_ACCESS_CYCLES : PERIPHERAL_ACCESS_CYCLES;
}
