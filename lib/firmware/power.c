// The power sequencer: modes in which clocks stand still, what wakes the chip from them, and what memory keeps.
//
// Sleep and low-power mode are the core's own: any interrupt ends them. In micro-power and standby mode the clocks
// stop: real-time clock, wake-up timer, pins and low-power timers go on, and only those that are enabled for it
// wake. Backup mode is left through reset. Facts: firmware reference 9.
#include "firmware/power.h"

#include <string.h>

#include "firmware/board.h"
#include "firmware/vcd.h"

#define CONTROL 0x00
#define PIN_STATUS(port) (0x04 + 8 * (port))
#define PIN_ENABLES(port) (0x08 + 8 * (port))
#define STATUS 0x30
#define ENABLES 0x34
#define STATUS_BACKUP (1u << 16)
#define PORTS 4

#define SEQUENCER 0x40006800u
#define POWER_MODES 0x4000000Cu
#define MODE 15u
#define WAKE_PINS (1u << 4)
#define WAKE_RTC (1u << 5)
#define WAKE_WUT (1u << 7)
#define CNN_POWER 0x40005800u // GCFR
#define CNN_RAM 0x40005804u

#define GPIO_INPUT 0x24
// What memory holds that had no power.
#define FORGOTTEN 0x5A

static const struct peripheral_register registers[] = {
	{0x00, true, "LPCN", 0, 0, 0, 0x80000000},
	{0x04, true, "LPWKST0", 0, 0, 0xFFFFFFFF},
	{0x08, true, "LPWKEN0"},
	{0x0c, true, "LPWKST1", 0, 0, 0xFFFFFFFF},
	{0x10, true, "LPWKEN1"},
	{0x14, true, "LPWKST2", 0, 0, 0xFFFFFFFF},
	{0x18, true, "LPWKEN2"},
	{0x1c, true, "LPWKST3", 0, 0, 0xFFFFFFFF},
	{0x20, true, "LPWKEN3"},
	{0x30, true, "LPPWST", 0, 0, 0xFFFFFFFF},
	{0x34, true, "LPPWEN"},
	{0x48, true, "GP0"},
	{0x4c, true, "GP1"},
};

// What may wake the chip, by the row that does; its flag says that it has.
static const struct {
	uint32_t base;        // of its row
	uint32_t enable, bit; // register and bit that allow it
	uint32_t flags, flag; // register of the row, and bits
} sources[] = {
	{0x40006000, POWER_MODES, WAKE_RTC, 0x10, 0xC0},
	{0x40006400, POWER_MODES, WAKE_WUT, 0x0C, 1},
	{0x40080C00, SEQUENCER + ENABLES, 1u << 15, 0x0C, 1},
	{0x40081000, SEQUENCER + ENABLES, 1u << 16, 0x0C, 1},
};
#define SOURCES (sizeof sources / sizeof sources[0])

static bool allowed(struct ai8x_firmware *soc, size_t source)
{
	return (*soc_word(soc, sources[source].enable) & sources[source].bit) != 0;
}

static const struct peripheral *port_row(const struct ai8x_firmware *soc, unsigned port)
{
	const struct peripheral_table *table = soc->soc->peripherals;
	const char name[] = {'G', 'P', 'I', 'O', (char)('0' + port), 0};
	for (size_t i = 0; i < table->count; i++)
		if (strcmp(table->rows[i].name, name) == 0)
			return &table->rows[i];
	return NULL;
}

static uint32_t pins(struct ai8x_firmware *soc, unsigned port)
{
	const struct peripheral *row = port_row(soc, port);
	return row != NULL ? row->block->read(soc, row, GPIO_INPUT) : 0;
}

static uint32_t waking_pins(struct ai8x_firmware *soc, unsigned port)
{
	return (*soc_word(soc, POWER_MODES) & WAKE_PINS) != 0 ? *soc_word(soc, SEQUENCER + PIN_ENABLES(port)) : 0;
}

static uint64_t next_wake(struct ai8x_firmware *soc)
{
	uint64_t next = TIME_NEVER;
	for (size_t i = 0; i < SOURCES; i++) {
		const struct peripheral *row = peripheral_find(soc->soc, sources[i].base);
		const uint64_t time = allowed(soc, i) ? row->block->next(soc, row, false) : TIME_NEVER;
		next = time < next ? time : next;
	}
	for (unsigned port = 0; port < PORTS; port++) {
		const uint64_t time = waking_pins(soc, port) != 0 ? board_pins_next(soc, port) : TIME_NEVER;
		next = time < next ? time : next;
	}
	return next;
}

// levels: of the pins before.
static bool woken(struct ai8x_firmware *soc, const uint32_t levels[PORTS])
{
	bool wakes = false;
	for (size_t i = 0; i < SOURCES; i++) {
		const struct peripheral *row = peripheral_find(soc->soc, sources[i].base);
		row->block->sync(soc, row);
		wakes = wakes || (allowed(soc, i) && (soc_value(soc, row, sources[i].flags) & sources[i].flag) != 0);
	}
	for (unsigned port = 0; port < PORTS; port++) {
		const uint32_t changed = (pins(soc, port) ^ levels[port]) & waking_pins(soc, port);
		*soc_word(soc, SEQUENCER + PIN_STATUS(port)) |= changed;
		wakes = wakes || changed != 0;
	}
	return wakes;
}

static void update_line(struct ai8x_firmware *soc, const struct peripheral *row)
{
	bool high = false;
	for (unsigned port = 0; port < PORTS; port++)
		high = high || (soc_value(soc, row, PIN_STATUS(port)) & soc_value(soc, row, PIN_ENABLES(port))) != 0;
	nvic_line(soc, row->irq, high);
}

static void store(struct ai8x_firmware *soc, const struct peripheral *row, uint32_t offset, uint32_t value)
{
	peripheral_store(soc, row, offset, value);
	update_line(soc, row);
}

const struct peripheral_block pwrseq_block = {
	REGISTERS(registers),
	.stays = true,
	.write = store,
};

// ---- modes ----

enum power_mode power_mode(struct ai8x_firmware *soc)
{
	return (enum power_mode)(*soc_word(soc, POWER_MODES) & MODE);
}

void power_wake(struct ai8x_firmware *soc)
{
	*soc_word(soc, POWER_MODES) &= ~MODE;
}

// The memories of a quadrant lose their power where they are not told to keep it; without any of them the accelerator
// begins anew.
static void forget_accelerator(struct ai8x_firmware *soc, uint32_t kept)
{
	soc->cnn.lost |= ~kept & CNN_QUADRANTS;
	if (*soc_word(soc, CNN_POWER) != 0)
		cnn_power(soc);
}

// Blocks whose clock stood still go on from where they were.
static void go_on(struct ai8x_firmware *soc, uint64_t slept)
{
	const struct peripheral_table *table = soc->soc->peripherals;
	for (size_t i = 0; i < table->count; i++)
		if (table->rows[i].block->stood_still != NULL)
			table->rows[i].block->stood_still(soc, &table->rows[i], slept);
	if (soc->rv32.due != TIME_NEVER)
		soc->rv32.time = soc->rv32.due = soc->now;
	soc_changed(soc);
}

bool power_sleep(struct ai8x_firmware *soc, enum power_mode mode)
{
	const uint64_t from = soc->now;
	uint32_t levels[PORTS];
	bool wakes = false;
	for (unsigned port = 0; port < PORTS; port++)
		levels[port] = pins(soc, port);
	phase_sleep(soc, mode);
	while (!wakes && !soc->ended) {
		const uint64_t next = next_wake(soc);
		if (next == TIME_NEVER)
			break;
		// The core's cycles stand still as well.
		const uint64_t until = board_wait(soc, next);
		soc->now = until > soc->now ? until : soc->now;
		wakes = woken(soc, levels);
		watchdog_check(soc);
	}
	phase_sleep(soc, POWER_ACTIVE);
	power_wake(soc);
	go_on(soc, soc->now - from);
	forget_accelerator(soc, *soc_word(soc, CNN_RAM));
	update_line(soc, peripheral_find(soc->soc, SEQUENCER));
	return wakes;
}

// ---- backup ----

// Blocks of SRAM that are kept by a bit each are the part's.
static void forget_memory(struct ai8x_firmware *soc, uint32_t kept)
{
	uint32_t address = SRAM_BASE;
	uint8_t lost[4096];
	memset(lost, FORGOTTEN, sizeof lost);
	for (unsigned block = 0; block < SRAM_BLOCKS; block++)
		for (uint32_t left = (uint32_t)soc->soc->sram_kib[block] << 10; left > 0;
		     left -= (uint32_t)sizeof lost) {
			if ((kept >> block & 1) == 0)
				(void)core_bus_write_bytes(soc, address, lost, sizeof lost);
			address += (uint32_t)sizeof lost;
		}
}

static void reset_peripherals(struct ai8x_firmware *soc)
{
	const struct peripheral_table *table = soc->soc->peripherals;
	for (size_t i = 0; i < table->count; i++)
		if (!table->rows[i].block->stays)
			peripheral_reset(soc, &table->rows[i]);
}

bool power_back_up(struct ai8x_firmware *soc)
{
	soc->backs_up = false;
	soc->cnn.busy = soc->cnn.paused = false;
	const bool wakes = power_sleep(soc, power_mode(soc));
	if (!wakes)
		return false;
	forget_memory(soc, *soc_word(soc, SEQUENCER + CONTROL));
	soc->cnn.lost = CNN_QUADRANTS;
	reset_peripherals(soc);
	// Lines of the blocks that went on stay as they are.
	uint32_t lines[8];
	memcpy(lines, soc->nvic.level, sizeof lines);
	nvic_reset(&soc->nvic);
	memcpy(soc->nvic.level, lines, sizeof lines);
	soc->systick = (struct systick){0};
	poll_clear(soc);
	*soc_word(soc, SEQUENCER + STATUS) |= STATUS_BACKUP;
	clocks_update(soc);
	return true;
}
