// Semihosting: the calls that firmware makes to the debugger's host.
#include "firmware/soc.h"

void semihosting(struct ai8x_firmware *soc, uint32_t pc)
{
	uint32_t operation = soc_register(soc, UC_ARM_REG_R0), argument = soc_register(soc, UC_ARM_REG_R1);
	uint32_t result = 0, block[2] = {0};
	char character = 0;
	switch (operation) {
	case 0x03: // write a character
		if (soc->unicorn.mem_read(soc->uc, argument, &character, 1) == UC_ERR_OK)
			soc_print(soc, 0, character);
		break;
	case 0x04: // write a string
		for (uint32_t i = 0; i < 65536; i++) {
			if (soc->unicorn.mem_read(soc->uc, argument + i, &character, 1) != UC_ERR_OK || character == 0)
				break;
			soc_print(soc, 0, character);
		}
		break;
	case 0x18: // exit: 0x20026 is "the application ended"
		soc->result.exit_code = argument == 0x20026 ? 0 : 1;
		soc_end(soc, AI8X_FIRMWARE_EXITED, AI8X_OK, "semihosting exit, reason 0x%x", argument);
		break;
	case 0x20: // exit with a code
		(void)soc->unicorn.mem_read(soc->uc, argument, block, sizeof block);
		soc->result.exit_code = (int32_t)block[1];
		soc_end(soc, AI8X_FIRMWARE_EXITED, AI8X_OK, "semihosting exit, code %d", (int)block[1]);
		break;
	default:
		result = UINT32_MAX;
	}
	(void)soc->unicorn.reg_write(soc->uc, UC_ARM_REG_R0, &result);
	pc = (pc + 2) | 1;
	(void)soc->unicorn.reg_write(soc->uc, UC_ARM_REG_PC, &pc);
}
