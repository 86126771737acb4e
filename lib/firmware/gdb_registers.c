// The core's registers as a debugger sees them, by the numbers of the target description.
#include "firmware/debug.h"

#include <string.h>

#define WORD(name) "<reg name=\"" name "\" bitsize=\"32\"/>"
#define POINTER(name, kind) "<reg name=\"" name "\" bitsize=\"32\" type=\"" kind "_ptr\"/>"
#define DOUBLE(name) "<reg name=\"" name "\" bitsize=\"64\" type=\"ieee_double\"/>"

// Numbers follow from the order.
// clang-format off
const char gdb_target_description[] =
	"<?xml version=\"1.0\"?><!DOCTYPE target SYSTEM \"gdb-target.dtd\"><target version=\"1.0\">"
	"<architecture>arm</architecture><feature name=\"org.gnu.gdb.arm.m-profile\">"
	WORD("r0") WORD("r1") WORD("r2") WORD("r3") WORD("r4") WORD("r5") WORD("r6") WORD("r7") WORD("r8") WORD("r9")
	WORD("r10") WORD("r11") WORD("r12") POINTER("sp", "data") WORD("lr") POINTER("pc", "code") WORD("xpsr")
	"</feature><feature name=\"org.gnu.gdb.arm.vfp\">"
	DOUBLE("d0") DOUBLE("d1") DOUBLE("d2") DOUBLE("d3") DOUBLE("d4") DOUBLE("d5") DOUBLE("d6") DOUBLE("d7")
	DOUBLE("d8") DOUBLE("d9") DOUBLE("d10") DOUBLE("d11") DOUBLE("d12") DOUBLE("d13") DOUBLE("d14") DOUBLE("d15")
	"<reg name=\"fpscr\" bitsize=\"32\" type=\"int\" group=\"float\"/>"
	"</feature><feature name=\"org.gnu.gdb.arm.m-system\">"
	POINTER("msp", "data") POINTER("psp", "data") WORD("primask") WORD("basepri") WORD("faultmask") WORD("control")
	"</feature></target>";
// clang-format on

// Unicorn's names, in the order of the numbers; the doubles follow each other.
#define FIRST_DOUBLE 17u
#define LAST_DOUBLE 32u
static const int names[GDB_REGISTERS] = {
	[0] = UC_ARM_REG_R0,       [1] = UC_ARM_REG_R1,         [2] = UC_ARM_REG_R2,
	[3] = UC_ARM_REG_R3,       [4] = UC_ARM_REG_R4,         [5] = UC_ARM_REG_R5,
	[6] = UC_ARM_REG_R6,       [7] = UC_ARM_REG_R7,         [8] = UC_ARM_REG_R8,
	[9] = UC_ARM_REG_R9,       [10] = UC_ARM_REG_R10,       [11] = UC_ARM_REG_R11,
	[12] = UC_ARM_REG_R12,     [13] = UC_ARM_REG_SP,        [14] = UC_ARM_REG_LR,
	[15] = UC_ARM_REG_PC,      [16] = UC_ARM_REG_XPSR,      [33] = UC_ARM_REG_FPSCR,
	[34] = UC_ARM_REG_MSP,     [35] = UC_ARM_REG_PSP,       [36] = UC_ARM_REG_PRIMASK,
	[37] = UC_ARM_REG_BASEPRI, [38] = UC_ARM_REG_FAULTMASK, [39] = UC_ARM_REG_CONTROL,
};

static int name(unsigned number)
{
	return number >= FIRST_DOUBLE && number <= LAST_DOUBLE ? UC_ARM_REG_D0 + (int)(number - FIRST_DOUBLE)
	                                                       : names[number];
}

unsigned gdb_register_bytes(unsigned number)
{
	if (number >= GDB_REGISTERS)
		return 0;
	return number >= FIRST_DOUBLE && number <= LAST_DOUBLE ? 8 : 4;
}

void gdb_register_read(struct ai8x_firmware *soc, unsigned number, uint8_t *bytes)
{
	uint64_t value = 0;
	(void)soc->unicorn.reg_read(soc->uc, name(number), &value);
	if (name(number) == UC_ARM_REG_PC)
		value &= ~UINT64_C(1);
	memcpy(bytes, &value, gdb_register_bytes(number));
}

void gdb_register_write(struct ai8x_firmware *soc, unsigned number, const uint8_t *bytes)
{
	uint64_t value = 0;
	memcpy(&value, bytes, gdb_register_bytes(number));
	if (name(number) == UC_ARM_REG_PC)
		value |= 1;
	// Bit 24 tells Thumb code, the only one there is.
	if (name(number) == UC_ARM_REG_XPSR)
		value |= 1u << 24;
	(void)soc->unicorn.reg_write(soc->uc, name(number), &value);
}
