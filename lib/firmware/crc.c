// CRC: the remainder of what is written, bit by bit from the least or the most significant one.
//
// Facts: the vendor's register headers of both parts.
#include "firmware/soc.h"

#define CONTROL 0x00
#define DATA 0x04
#define POLYNOMIAL 0x08
#define VALUE 0x0C

#define ENABLE (1u << 0)
#define MSB_FIRST (1u << 2)
#define SWAP_IN (1u << 3)
#define SWAP_OUT (1u << 4)
#define BUSY (1u << 16)

static const struct peripheral_register registers[] = {
	{0x00, true, "CTRL", 0, BUSY},
	{0x04, true, "DATAIN32"},
	{0x08, true, "POLY", 0xEDB88320},
	{0x0c, true, "VAL", UINT32_MAX},
};

static uint32_t step(uint32_t value, uint32_t polynomial, uint8_t byte, bool msb_first)
{
	value ^= msb_first ? (uint32_t)byte << 24 : byte;
	for (int bit = 0; bit < 8; bit++) {
		const bool out = msb_first ? value >> 31 != 0 : (value & 1) != 0;
		value = msb_first ? value << 1 : value >> 1;
		if (out)
			value ^= polynomial;
	}
	return value;
}

static uint32_t load(struct ai8x_firmware *soc, const struct peripheral *row, uint32_t offset)
{
	const uint32_t value = peripheral_load(soc, row, offset);
	const bool swap = offset == VALUE && (*soc_word(soc, row->base + CONTROL) & SWAP_OUT) != 0;
	return swap ? __builtin_bswap32(value) : value;
}

static void store(struct ai8x_firmware *soc, const struct peripheral *row, uint32_t offset, uint32_t value)
{
	const uint32_t control = *soc_word(soc, row->base + CONTROL);
	if (offset != DATA) {
		peripheral_store(soc, row, offset, value);
		return;
	}
	if ((control & ENABLE) == 0)
		return;
	// The bit that comes first is in the byte that comes first.
	const bool msb_first = (control & MSB_FIRST) != 0;
	const bool high_byte_first = msb_first != ((control & SWAP_IN) != 0);
	uint32_t *result = soc_word(soc, row->base + VALUE);
	for (unsigned i = 0; i < soc->access_bytes; i++) {
		const unsigned place = high_byte_first ? soc->access_bytes - 1 - i : i;
		*result =
			step(*result, *soc_word(soc, row->base + POLYNOMIAL), (uint8_t)(value >> (8 * place)), msb_first);
	}
}

static uint32_t ready(const struct ai8x_firmware *soc, const struct peripheral *row, bool transmits)
{
	(void)soc;
	(void)row;
	return transmits ? UINT32_MAX : 0;
}

const struct peripheral_block crc_block = {
	REGISTERS(registers), .narrow = true, .fifo = DATA,   .one_way = 2,
	.read = load,         .write = store, .ready = ready,
};
