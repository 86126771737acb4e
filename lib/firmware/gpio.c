// General-purpose ports: set and clear registers, interrupts, pins that read as pulled up unless they are driven.
#include "firmware/board.h"
#include "firmware/vcd.h"

#define OUTPUT_ENABLE 0x0C
#define OUTPUT 0x18
#define INPUT 0x24
#define BY_EDGE 0x28
#define POLARITY 0x2C
#define ENABLES 0x34
#define FLAGS 0x40
#define BOTH_EDGES 0x5C

// EN3 does not exist in these parts; the driver that all parts share clears it.
static const struct peripheral_register registers[] = {
	{0x00, true, "EN0"},       {0x04, true, "EN0_SET"},   {0x08, true, "EN0_CLR"},
	{0x0c, true, "OUTEN"},     {0x10, true, "OUTEN_SET"}, {0x14, true, "OUTEN_CLR"},
	{0x18, true, "OUT"},       {0x1c, true, "OUT_SET"},   {0x20, true, "OUT_CLR"},
	{0x24, true, "IN"},        {0x28, true, "INTMODE"},   {0x2c, true, "INTPOL"},
	{0x30, true, "INEN"},      {0x34, true, "INTEN"},     {0x38, true, "INTEN_SET"},
	{0x3c, true, "INTEN_CLR"}, {0x40, true, "INTFL"},     {0x48, true, "INTFL_CLR"},
	{0x4c, true, "WKEN"},      {0x50, true, "WKEN_SET"},  {0x54, true, "WKEN_CLR"},
	{0x5c, true, "DUALEDGE"},  {0x60, true, "PADCTRL0"},  {0x64, true, "PADCTRL1"},
	{0x68, true, "EN1"},       {0x6c, true, "EN1_SET"},   {0x70, true, "EN1_CLR"},
	{0x74, true, "EN2"},       {0x78, true, "EN2_SET"},   {0x7c, true, "EN2_CLR"},
	{0x80, true, "EN3"},       {0x84, true, "EN3_SET"},   {0x88, true, "EN3_CLR"},
	{0xa8, true, "HYSEN"},     {0xac, true, "SRSEL"},     {0xb0, true, "DS0"},
	{0xb4, true, "DS1"},       {0xb8, true, "PS"},        {0xc0, true, "VSSEL"},
};

struct gpio {
	uint32_t levels; // when they were looked at last
};

// Outputs read back, inputs are pulled up, and the board has the last word.
static uint32_t levels(struct ai8x_firmware *soc, const struct peripheral *row)
{
	const uint32_t driven = soc_value(soc, row, OUTPUT_ENABLE);
	return board_pins(soc, row->unit, (soc_value(soc, row, OUTPUT) & driven) | ~driven);
}

static void carry_out(struct ai8x_firmware *soc, const struct peripheral *row)
{
	struct gpio *gpio = soc_state(soc, row);
	const uint32_t now = levels(soc, row), changed = now ^ gpio->levels;
	const uint32_t up = soc_value(soc, row, POLARITY), edge = soc_value(soc, row, BY_EDGE);
	const uint32_t edges = changed & (soc_value(soc, row, BOTH_EDGES) | ~(now ^ up));
	gpio->levels = now;
	*soc_word(soc, row->base + FLAGS) |=
		((edges & edge) | (~(now ^ up) & ~edge)) & soc_value(soc, row, ENABLES);
	if (row->irq != NO_INTERRUPT)
		nvic_line(soc, row->irq, (soc_value(soc, row, FLAGS) & soc_value(soc, row, ENABLES)) != 0);
}

static uint64_t next(const struct ai8x_firmware *soc, const struct peripheral *row, bool interrupting)
{
	const bool asked =
		row->irq != NO_INTERRUPT && soc_value(soc, row, ENABLES) != 0 && nvic_enabled(soc, row->irq);
	return interrupting && !asked ? TIME_NEVER : board_pins_next(soc, row->unit);
}

static uint32_t load(struct ai8x_firmware *soc, const struct peripheral *row, uint32_t offset)
{
	return offset == INPUT ? levels(soc, row) : *soc_word(soc, row->base + offset);
}

static void write_word(struct ai8x_firmware *soc, const struct peripheral *row, uint32_t offset,
                       uint32_t value)
{
	static const struct {
		uint8_t offset, target;
		bool set;
	} aliases[] = {
		{0x04, 0x00, true},  {0x08, 0x00, false}, {0x10, 0x0C, true},  {0x14, 0x0C, false},
		{0x1C, 0x18, true},  {0x20, 0x18, false}, {0x38, 0x34, true},  {0x3C, 0x34, false},
		{0x48, 0x40, false}, {0x50, 0x4C, true},  {0x54, 0x4C, false}, {0x6C, 0x68, true},
		{0x70, 0x68, false}, {0x78, 0x74, true},  {0x7C, 0x74, false},
	};
	for (size_t i = 0; i < sizeof aliases / sizeof aliases[0]; i++)
		if (aliases[i].offset == offset) {
			uint32_t *word = soc_word(soc, row->base + aliases[i].target);
			*word = aliases[i].set ? *word | value : *word & ~value;
			return;
		}
	*soc_word(soc, row->base + offset) = value;
}

static void store(struct ai8x_firmware *soc, const struct peripheral *row, uint32_t offset, uint32_t value)
{
	write_word(soc, row, offset, value);
	if (offset >= OUTPUT_ENABLE && offset < INPUT) {
		board_pins_drive(soc, row->unit, soc_value(soc, row, OUTPUT), soc_value(soc, row, OUTPUT_ENABLE));
		vcd_set(soc, VCD_GPIO0 + row->unit, soc_value(soc, row, OUTPUT) & soc_value(soc, row, OUTPUT_ENABLE));
	}
	carry_out(soc, row);
}

static void reset(struct ai8x_firmware *soc, const struct peripheral *row)
{
	struct gpio *gpio = soc_state(soc, row);
	board_pins_drive(soc, row->unit, 0, 0);
	gpio->levels = levels(soc, row);
}

const struct peripheral_block gpio_block = {
	REGISTERS(registers), .state_bytes = sizeof(struct gpio),
	.read = load,         .write = store,
	.reset = reset,       .sync = carry_out,
	.next = next,
};
