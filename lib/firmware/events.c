// What happens next, and what is due: the blocks' events in one order of time.
#include "firmware/soc.h"

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t next_of_blocks(const struct ai8x_firmware *soc, bool interrupting)
{
	uint64_t next = TIME_NEVER;
	for (size_t i = 0; i < soc->moving_count; i++) {
		const struct peripheral *row = &soc->soc->peripherals->rows[soc->moving[i]];
		if (row->block->next != NULL)
			next = earlier(next, row->block->next(soc, row, interrupting));
	}
	return next;
}

uint64_t events_next(const struct ai8x_firmware *soc)
{
	const uint64_t next = earlier(next_of_blocks(soc, false), systick_next(soc));
	// The second core wants its turns unless it has the time for itself.
	return soc->rv32.leads ? next : earlier(next, soc->rv32.due);
}

uint64_t events_next_interrupt(const struct ai8x_firmware *soc)
{
	uint64_t next = next_of_blocks(soc, true);
	return systick_interrupts(soc) ? earlier(next, systick_next(soc)) : next;
}

void events_sync(struct ai8x_firmware *soc)
{
	for (size_t i = 0; i < soc->moving_count; i++) {
		const struct peripheral *row = &soc->soc->peripherals->rows[soc->moving[i]];
		if (row->block->sync != NULL)
			row->block->sync(soc, row);
	}
	systick_sync(soc);
	// The watchdog looks at least once in a simulated millisecond.
	soc->wake = earlier(events_next(soc), soc->now + FS_PER_SECOND / 1000);
}
