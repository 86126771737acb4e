// AES: the state machine that drivers wait for. Nothing is ciphered: the output is the input, and is reported.
//
// Facts: the vendor's register headers of both parts.
#include "firmware/soc.h"

#define CONTROL 0x00
#define STATUS 0x04
#define FLAGS 0x08
#define ENABLES 0x0C
#define FIFO 0x10
#define START_AND_FLUSH (7u << 3)
#define INPUT_FLUSH (1u << 4)
#define DONE (1u << 0)
#define WORDS 4u

static const struct peripheral_register registers[] = {
	{0x00, true, "CTRL", 0, 0, 0, START_AND_FLUSH},
	{0x04, true, "STATUS", 0, UINT32_MAX},
	{0x08, true, "INTFL", 0, 0, UINT32_MAX},
	{0x0c, true, "INTEN"},
	{0x10, false, "FIFO"},
};

struct aes {
	uint32_t block[WORDS];
	unsigned in, out;
};

static uint32_t load(struct ai8x_firmware *soc, const struct peripheral *row, uint32_t offset)
{
	struct aes *aes = soc_state(soc, row);
	if (offset == STATUS)
		return (uint32_t)(aes->in == 0) << 1 | (uint32_t)(aes->out == 0) << 3 |
		       (uint32_t)(aes->out == WORDS) << 4;
	if (offset != FIFO || aes->out == 0)
		return peripheral_load(soc, row, offset);
	return aes->block[WORDS - aes->out--];
}

static void store(struct ai8x_firmware *soc, const struct peripheral *row, uint32_t offset, uint32_t value)
{
	struct aes *aes = soc_state(soc, row);
	peripheral_store(soc, row, offset, value);
	if (offset == CONTROL && (value & INPUT_FLUSH) != 0)
		aes->in = aes->out = 0;
	if (offset == FIFO) {
		aes->block[aes->in++] = value;
		if (aes->in == WORDS) {
			aes->in = 0;
			aes->out = WORDS;
			*soc_word(soc, row->base + FLAGS) |= DONE;
		}
	}
	nvic_line(soc, row->irq, (*soc_word(soc, row->base + FLAGS) & *soc_word(soc, row->base + ENABLES)) != 0);
}

const struct peripheral_block aes_block = {
	.registers = registers,
	.register_count = sizeof registers / sizeof registers[0],
	.state_bytes = sizeof(struct aes),
	.read = load,
	.write = store,
};
