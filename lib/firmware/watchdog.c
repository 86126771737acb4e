// Polling, and what to say about firmware that does not come to an end.
//
// Firmware waits by reading a register again and again. Such a wait is warped: after a few reads without a
// write between them time takes growing steps, never past the next event, so that a delay of seconds costs
// a few hundred reads and is off by at most a sixteenth of the wait.
#include "firmware/board.h"

#include <stdio.h>

#define READS_BEFORE_WARP 8
#define STEP_SHIFT 4
#define SYSTICK_VALUE 0xE000E018u
#define DWT_CYCLES 0xE0001004u

void poll_clear(struct ai8x_firmware *soc)
{
	soc->poll.count = 0;
}

bool poll_repeats(const struct ai8x_firmware *soc, uint32_t address)
{
	return soc->poll.address == address && soc->poll.count >= READS_BEFORE_WARP;
}

// Registers that differ at every read without telling that a wait is over.
static bool is_counter(const struct ai8x_firmware *soc, uint32_t address)
{
	return address == SYSTICK_VALUE || address == DWT_CYCLES || address == RV32_COUNTER ||
	       peripheral_counts(soc->soc, address);
}

void poll_before(struct ai8x_firmware *soc, uint32_t address)
{
	struct poll *poll = &soc->poll;
	if (!poll_repeats(soc, address))
		return;
	uint64_t step = (soc->cycles - poll->since) >> STEP_SHIFT;
	uint64_t next = events_next(soc);
	if (next != TIME_NEVER) {
		uint64_t left = next > soc->now ? (next - soc->now) / soc->cycle + 1 : 0;
		if (step > left)
			step = left;
	}
	if (step > 0 && board_is_live(soc))
		soc_pass_until(soc, board_wait(soc, soc->now + step * soc->cycle));
	else
		soc_pass(soc, step);
	if (soc->now >= soc->wake)
		soc->attention = true;
}

void poll_after(struct ai8x_firmware *soc, uint32_t address, uint32_t value)
{
	struct poll *poll = &soc->poll;
	if (poll->count == 0 || poll->address != address || (poll->value != value && !is_counter(soc, address)))
		*poll = (struct poll){.address = address, .since = soc->cycles};
	poll->count++;
	poll->value = value;
}

void watchdog_where(struct ai8x_firmware *soc)
{
	ai8x_firmware_result *result = &soc->result;
	result->address = soc->block;
	image_describe(&soc->image, soc->block, result->symbol, sizeof result->symbol);
	if (soc->poll.count >= READS_BEFORE_WARP) {
		result->polled = soc->poll.address;
		result->polled_value = soc->poll.value;
		result->polls = soc->poll.count;
		peripheral_describe(soc->soc, soc->poll.address, result->polled_name, sizeof result->polled_name);
	}
}

static void stuck(struct ai8x_firmware *soc, const char *limit)
{
	char where[96], wait[256] = "", poll[160] = "";
	image_describe(&soc->image, soc->block, where, sizeof where);
	watchdog_where(soc);
	if (soc->result.polled != 0)
		(void)snprintf(poll, sizeof poll, ", polling %s (0x%08x), which reads 0x%08x",
		               soc->result.polled_name, soc->result.polled, soc->result.polled_value);
	if (nvic_in_fault(soc)) {
		char state[96];
		nvic_describe_fault(soc, state, sizeof state);
		soc_end(soc, AI8X_FIRMWARE_FAULT, AI8X_ERR_ADDRESS, "%s (%s); its handler is at %s%s",
		        soc->fault_text, state, where, poll);
		return;
	}
	if (soc->cnn.busy)
		(void)ai8x_machine_explain_wait(soc->cnn.machine, wait, sizeof wait);
	soc_end(soc, AI8X_FIRMWARE_TIMEOUT, AI8X_ERR_CYCLE_LIMIT, "watchdog: %s; the core is at %s%s%s%s", limit,
	        where, poll, wait[0] != 0 ? "; accelerator: " : "", wait);
}

void watchdog_check(struct ai8x_firmware *soc)
{
	char limit[96];
	if (soc->instructions >= soc->options.max_instructions) {
		(void)snprintf(limit, sizeof limit, "%llu code units executed",
		               (unsigned long long)soc->instructions);
		stuck(soc, limit);
	} else if ((double)soc->now >= soc->options.max_seconds * (double)FS_PER_SECOND) {
		(void)snprintf(limit, sizeof limit, "%.3g simulated seconds passed", soc->options.max_seconds);
		stuck(soc, limit);
	}
}
