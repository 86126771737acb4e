// What happens next, and what is due: the blocks' events in one order of time.
#include "firmware/soc.h"

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t next_of_blocks(const struct ai8x_firmware *soc, bool interrupting)
{
	uint64_t next = TIME_NEVER;
	const struct peripheral_table *table = soc->soc->peripherals;
	for (size_t i = 0; i < table->count; i++)
		if (table->rows[i].block->next != NULL)
			next = earlier(next, table->rows[i].block->next(soc, &table->rows[i], interrupting));
	return next;
}

uint64_t events_next(const struct ai8x_firmware *soc)
{
	return earlier(next_of_blocks(soc, false), systick_next(soc));
}

uint64_t events_next_interrupt(const struct ai8x_firmware *soc)
{
	uint64_t next = next_of_blocks(soc, true);
	return systick_interrupts(soc) ? earlier(next, systick_next(soc)) : next;
}

void events_sync(struct ai8x_firmware *soc)
{
	const struct peripheral_table *table = soc->soc->peripherals;
	for (size_t i = 0; i < table->count; i++)
		if (table->rows[i].block->sync != NULL)
			table->rows[i].block->sync(soc, &table->rows[i]);
	systick_sync(soc);
	// The watchdog looks at least once in a simulated millisecond.
	soc->wake = earlier(events_next(soc), soc->now + FS_PER_SECOND / 1000);
}
