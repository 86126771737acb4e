// What the second core's code costs: cycles of the RI5CY core by kind of instruction. Facts: firmware reference 8.
#include "firmware/rv32.h"

#include <string.h>

#define OPCODE_BRANCH 0x63
#define OPCODE_JAL 0x6F
#define OPCODE_JALR 0x67
#define OPCODE_REGISTERS 0x33
#define OPCODE_SYSTEM 0x73
#define FUNCTION_MULTIPLY 1

#define JUMP_CYCLES 2
#define TAKEN_CYCLES 2 // more than a branch that is not
#define HIGH_PRODUCT_CYCLES 5
#define DIVIDE_CYCLES 19 // of 3 to 35
#define SYSTEM_CYCLES 4

static uint32_t wide_cycles(uint32_t code, uint32_t *taken)
{
	const uint32_t function = code >> 12 & 7;
	switch (code & 0x7F) {
	case OPCODE_BRANCH:
		*taken = TAKEN_CYCLES;
		return 1;
	case OPCODE_JAL:
	case OPCODE_JALR:
		return JUMP_CYCLES;
	case OPCODE_SYSTEM:
		return SYSTEM_CYCLES;
	case OPCODE_REGISTERS:
		if (code >> 25 != FUNCTION_MULTIPLY || function == 0)
			return 1;
		return function < 4 ? HIGH_PRODUCT_CYCLES : DIVIDE_CYCLES;
	default:
		return 1;
	}
}

static uint32_t short_cycles(uint32_t code, uint32_t *taken)
{
	const uint32_t function = code >> 13, quadrant = code & 3;
	if (quadrant == 1 && function >= 6) {
		*taken = TAKEN_CYCLES;
		return 1;
	}
	const bool jumps = quadrant == 1 && (function == 1 || function == 5);
	const bool to_register = quadrant == 2 && function == 4 && (code >> 2 & 31) == 0;
	return jumps || to_register ? JUMP_CYCLES : 1;
}

uint32_t rv32_code_cycles(const uint8_t *code, uint32_t bytes, uint32_t *taken)
{
	uint32_t cycles = 0;
	*taken = 0;
	for (uint32_t at = 0; at + 2 <= bytes;) {
		uint32_t whole = 0;
		const bool wide = (code[at] & 3) == 3;
		memcpy(&whole, code + at, wide && at + 4 <= bytes ? 4 : 2);
		*taken = 0;
		cycles += wide ? wide_cycles(whole, taken) : short_cycles(whole, taken);
		at += wide ? 4 : 2;
	}
	return cycles;
}
