// The accelerator on the core's bus: register accesses, the passing of its time, its interrupt.
//
// Without a FIFO a run does not depend on the core: it is carried out when it starts, and the end is shown
// to the firmware when its cycles have passed. Fed through a FIFO, the machine advances with the core's
// time. Facts: firmware reference 3 and 6, hardware reference 3.1.
#include "firmware/power.h"
#include "firmware/vcd.h"

#include <stdlib.h>

#define FIFO_STATUS (CNN_BASE + 0x4)
#define FIFO_DATA (CNN_BASE + 0x8)
#define FIFO_DATA_END (CNN_BASE + 0x18)
#define FAST_STATUS 0x400C0404u
#define FAST_DATA 0x400C0410u

#define CONTROL_RUN (1u << 0)
#define CONTROL_DONE (1u << 12)

// How often a FIFO-fed run is brought up to the core's time while the core does not look at it.
#define QUANTUM_CYCLES 2000
// No network takes so long, and no FIFO that has not taken a word by then ever will. Bounds the time of runs
// without an end.
#define PATIENCE_CYCLES 100000000u

static bool is_fifo_data(uint32_t address)
{
	return (address >= FIFO_DATA && address < FIFO_DATA_END) || address == FAST_DATA;
}

static bool is_control(const struct ai8x_firmware *soc, uint32_t address)
{
	for (uint32_t q = 0; q < AI8X_GROUPS; q++)
		if ((address & ~3u) == part_register_address(soc->part, REG_CTL, q, 0))
			return true;
	return false;
}

static void refuse(struct ai8x_firmware *soc, ai8x_status status, const ai8x_error *error)
{
	soc_end(soc, AI8X_FIRMWARE_ACCELERATOR, status, "%s", error->message);
}

static void update_line(struct ai8x_firmware *soc)
{
	bool high = false;
	for (uint32_t q = 0; q < AI8X_GROUPS && !soc->cnn.busy; q++) {
		uint32_t control = 0;
		if (ai8x_machine_read32(soc->cnn.machine, part_register_address(soc->part, REG_CTL, q, 0), &control,
		                        NULL) == AI8X_OK &&
		    (control & CONTROL_DONE) != 0)
			high = true;
	}
	nvic_line(soc, CNN_INTERRUPT, high);
}

static bool add_inference(struct ai8x_firmware *soc)
{
	size_t count = soc->result.inference_count;
	if (count == soc->inference_capacity) {
		size_t capacity = count == 0 ? 8 : 2 * count;
		ai8x_firmware_inference *grown = realloc(soc->inferences, capacity * sizeof *grown);
		if (grown == NULL) {
			soc_end(soc, AI8X_FIRMWARE_CANCELLED, AI8X_ERR_NO_MEMORY, "out of memory for inference times");
			return false;
		}
		soc->inferences = grown;
		soc->inference_capacity = capacity;
	}
	soc->inferences[count] = (ai8x_firmware_inference){
		.clock_hz = (uint32_t)((FS_PER_SECOND + soc->cnn.cycle / 2) / soc->cnn.cycle),
		.start_seconds = (double)soc->cnn.start / (double)FS_PER_SECOND,
	};
	soc->result.inference_count = count + 1;
	soc->result.inferences = soc->inferences;
	return true;
}

static ai8x_firmware_inference *last_inference(struct ai8x_firmware *soc)
{
	return &soc->inferences[soc->result.inference_count - 1];
}

static void set_end(struct ai8x_firmware *soc)
{
	soc->cnn.end = soc->cnn.start + ai8x_machine_cycles(soc->cnn.machine) * soc->cnn.cycle;
}

void cnn_account(struct ai8x_firmware *soc)
{
	if (soc->result.inference_count == 0)
		return;
	ai8x_firmware_inference *inference = last_inference(soc);
	inference->cycles = ai8x_machine_cycles(soc->cnn.machine);
	inference->seconds = (double)inference->cycles * (double)soc->cnn.cycle / (double)FS_PER_SECOND;
	inference->layers = (uint32_t)ai8x_machine_layer_count(soc->cnn.machine);
	inference->fifo = soc->cnn.fifo;
}

static void finish(struct ai8x_firmware *soc)
{
	soc->cnn.busy = false;
	vcd_set(soc, VCD_CNN_RUNS, 0);
	phase_run(soc, false);
	cnn_account(soc);
	ai8x_firmware_inference *inference = last_inference(soc);
	inference->finished = true;
	record_finish(soc);
	update_line(soc);
	if (soc->options.inference != NULL &&
	    !soc->options.inference(soc->options.user, soc->cnn.machine, inference))
		soc_end(soc, AI8X_FIRMWARE_CANCELLED, AI8X_ERR_CANCELLED, "stopped after an inference");
}

static void too_long(struct ai8x_firmware *soc)
{
	char why[256], where[96];
	(void)ai8x_machine_explain_wait(soc->cnn.machine, why, sizeof why);
	image_describe(&soc->image, soc->block, where, sizeof where);
	soc_end(soc, AI8X_FIRMWARE_TIMEOUT, AI8X_ERR_CYCLE_LIMIT,
	        "watchdog: the accelerator still runs after %llu cycles%s%s; the core is at %s",
	        (unsigned long long)ai8x_machine_cycles(soc->cnn.machine), why[0] != 0 ? ": " : "", why, where);
}

// Lets the machine run on its own; AI8X_WAITING is no error.
static ai8x_status run(struct ai8x_firmware *soc, ai8x_run_limits limits)
{
	ai8x_error error = {0};
	limits.max_cycles = PATIENCE_CYCLES;
	ai8x_status status = ai8x_machine_run(soc->cnn.machine, &limits, &error);
	if (status == AI8X_OK && !ai8x_machine_running(soc->cnn.machine))
		set_end(soc);
	else if (status == AI8X_ERR_CYCLE_LIMIT)
		too_long(soc);
	else if (status != AI8X_OK && status != AI8X_WAITING)
		refuse(soc, status, &error);
	return status;
}

static void start(struct ai8x_firmware *soc, uint32_t control)
{
	struct cnn *cnn = &soc->cnn;
	cnn->busy = true;
	cnn->control = control;
	cnn->start = soc->now;
	cnn->end = TIME_NEVER;
	cnn->cycle = FS_PER_SECOND / clocks_cnn_hz(soc);
	if (!add_inference(soc))
		return;
	vcd_set(soc, VCD_CNN_RUNS, 1);
	phase_run(soc, true);
	vcd_set(soc, VCD_INFERENCES, (uint32_t)soc->result.inference_count);
	// A run that no FIFO feeds depends on nothing else.
	cnn->fifo = run(soc, (ai8x_run_limits){0}) == AI8X_WAITING;
}

static void advance(struct ai8x_firmware *soc)
{
	struct cnn *cnn = &soc->cnn;
	uint64_t due = (soc->now - cnn->start) / cnn->cycle;
	uint64_t have = ai8x_machine_cycles(cnn->machine);
	if (due <= have)
		return;
	ai8x_error error = {0};
	ai8x_status status = ai8x_machine_advance(cnn->machine, due - have, &error);
	if (status == AI8X_OK && !ai8x_machine_running(cnn->machine))
		set_end(soc);
	else if (status != AI8X_OK && status != AI8X_WAITING && status != AI8X_ERR_CYCLE_LIMIT)
		refuse(soc, status, &error);
	else if (ai8x_machine_cycles(cnn->machine) >= PATIENCE_CYCLES)
		too_long(soc);
}

static void carry_on(struct ai8x_firmware *soc)
{
	struct cnn *cnn = &soc->cnn;
	if (!cnn->busy || cnn->paused || soc->ended)
		return;
	if (cnn->end == TIME_NEVER && cnn->fifo)
		advance(soc);
	if (cnn->busy && cnn->end != TIME_NEVER && soc->now >= cnn->end)
		finish(soc);
}

static void carry_out(struct ai8x_firmware *soc, const struct peripheral *row)
{
	(void)row;
	carry_on(soc);
}

static uint64_t next(const struct ai8x_firmware *soc, const struct peripheral *row, bool interrupting)
{
	(void)row;
	if (!soc->cnn.busy || soc->cnn.paused)
		return TIME_NEVER;
	if (soc->cnn.end != TIME_NEVER)
		return interrupting && !nvic_enabled(soc, CNN_INTERRUPT) ? TIME_NEVER : soc->cnn.end;
	// A run that waits for words gives no interrupt before the core has pushed them.
	return interrupting ? TIME_NEVER : soc->now + QUANTUM_CYCLES * soc->cnn.cycle;
}

void cnn_settle(struct ai8x_firmware *soc)
{
	if (soc->cnn.busy && soc->cnn.fifo && !soc->cnn.paused && soc->cnn.end == TIME_NEVER)
		(void)run(soc, (ai8x_run_limits){0});
}

// Runs until a FIFO takes a word, and lets the core wait for it. false: it never will.
static bool wait_for_fifo(struct ai8x_firmware *soc, uint32_t address)
{
	struct cnn *cnn = &soc->cnn;
	if (!cnn->busy || cnn->paused || cnn->end != TIME_NEVER)
		return false;
	ai8x_run_limits limits = {
		.max_cycles = PATIENCE_CYCLES, .until_fifo_ready = true, .fifo_address = address};
	ai8x_status status = run(soc, limits);
	soc_pass_until(soc, cnn->start + ai8x_machine_cycles(cnn->machine) * cnn->cycle);
	return status == AI8X_OK;
}

static uint32_t read_fifo_status(struct ai8x_firmware *soc, uint32_t address, uint32_t value)
{
	uint32_t full = address == FAST_STATUS ? value & 2 : value & 15;
	if (full == 0 || soc->poll.address != address || soc->poll.count < 2)
		return value;
	uint32_t data = address == FAST_STATUS ? FAST_DATA : FIFO_DATA + 4 * (uint32_t)__builtin_ctz(full);
	if (wait_for_fifo(soc, data))
		(void)ai8x_machine_read32(soc->cnn.machine, address, &value, NULL);
	return value;
}

uint32_t cnn_read(struct ai8x_firmware *soc, uint32_t address, unsigned bytes)
{
	struct cnn *cnn = &soc->cnn;
	ai8x_error error = {0};
	cnn->reads++;
	if (cnn->busy)
		carry_on(soc);
	if (bytes == 2) {
		soc_end(soc, AI8X_FIRMWARE_ACCELERATOR, AI8X_ERR_ALIGNMENT,
		        "16-bit read of the accelerator at 0x%08x; it has 32-bit reads", address);
		return 0;
	}
	uint32_t value = 0;
	uint8_t byte = 0;
	ai8x_status status = bytes == 1 ? ai8x_machine_read8(cnn->machine, address, &byte, &error)
	                                : ai8x_machine_read32(cnn->machine, address, &value, &error);
	if (bytes == 1)
		value = byte;
	if (status != AI8X_OK) {
		refuse(soc, status, &error);
		return 0;
	}
	if (is_control(soc, address)) {
		// The run may have been carried out already; for the firmware it goes on.
		if (cnn->busy && bytes == 4)
			value &= ~(CONTROL_DONE | (cnn->paused && address == cnn->control ? CONTROL_RUN : 0));
		if (cnn->busy && cnn->fifo && soc->poll.address == address && soc->poll.count >= 2)
			cnn_settle(soc);
	} else if (address == FIFO_STATUS || address == FAST_STATUS) {
		value = read_fifo_status(soc, address, value);
	} else if (address >= soc->soc->cnn_status_end) {
		if (cnn->busy && !cnn->paused)
			cnn->read_while_busy = true;
		record_read(soc, address, value);
	}
	return value;
}

static void push(struct ai8x_firmware *soc, uint32_t address, uint32_t value)
{
	ai8x_error error = {0};
	ai8x_status status = ai8x_machine_write32(soc->cnn.machine, address, value, &error);
	// The bus waits while the FIFO is full.
	if (status == AI8X_FIFO_FULL && wait_for_fifo(soc, address))
		status = ai8x_machine_write32(soc->cnn.machine, address, value, &error);
	if (status == AI8X_FIFO_FULL) {
		char why[256];
		(void)ai8x_machine_explain_wait(soc->cnn.machine, why, sizeof why);
		soc_end(soc, AI8X_FIRMWARE_ACCELERATOR, AI8X_ERR_STALLED,
		        "FIFO data register 0x%08x never takes this word: %s", address,
		        why[0] != 0 ? why : "the accelerator does not run");
		return;
	}
	if (status != AI8X_OK) {
		refuse(soc, status, &error);
		return;
	}
	record_write(soc, AI8X_BUS_FIFO_WRITE32, address, value);
}

static ai8x_status pass_on(struct ai8x_firmware *soc, uint32_t address, uint32_t value, unsigned bytes)
{
	ai8x_error error = {0};
	ai8x_status status = bytes == 1 ? ai8x_machine_write8(soc->cnn.machine, address, (uint8_t)value, &error)
	                                : ai8x_machine_write32(soc->cnn.machine, address, value, &error);
	if (status != AI8X_OK)
		refuse(soc, status, &error);
	return status;
}

// The firmware clears the enable bit in the middle of a run and sets it again (hardware reference 3.1). A run
// that was carried out when it started has nothing left that could stand still; only its end moves.
static bool carried_out(const struct cnn *cnn)
{
	return cnn->end != TIME_NEVER;
}

static void pause_run(struct ai8x_firmware *soc, uint32_t value)
{
	struct cnn *cnn = &soc->cnn;
	if (!carried_out(cnn) && pass_on(soc, cnn->control, value, 4) != AI8X_OK)
		return;
	cnn->paused = true;
	cnn->paused_value = value;
	cnn->paused_at = soc->now;
}

static void resume_run(struct ai8x_firmware *soc, uint32_t value)
{
	struct cnn *cnn = &soc->cnn;
	if (!carried_out(cnn) && pass_on(soc, cnn->control, value, 4) != AI8X_OK)
		return;
	cnn->paused = false;
	cnn->start += soc->now - cnn->paused_at;
	if (carried_out(cnn))
		cnn->end += soc->now - cnn->paused_at;
}

// A write to the control register that started the run. false: it neither pauses nor resumes.
static bool switch_run(struct ai8x_firmware *soc, uint32_t value)
{
	struct cnn *cnn = &soc->cnn;
	const bool enabled = (value & CONTROL_RUN) != 0;
	if (!cnn->paused && !enabled)
		pause_run(soc, value);
	else if (cnn->paused && enabled && (!carried_out(cnn) || value == (cnn->paused_value | CONTROL_RUN)))
		resume_run(soc, value);
	else
		return false;
	soc_changed(soc);
	return true;
}

static void write_recorded(struct ai8x_firmware *soc, uint32_t address, uint32_t value)
{
	record_write(soc, AI8X_BUS_WRITE32, address, value);
	(void)pass_on(soc, address, value, 4);
}

// The firmware does something else than going on: the next start is one from the beginning.
static void give_up_run(struct ai8x_firmware *soc)
{
	struct cnn *cnn = &soc->cnn;
	cnn_account(soc);
	cnn->paused = cnn->busy = false;
	write_recorded(soc, cnn->control, cnn->paused_value);
}

// Memories without power come back as zeros, as after their self-test; a program that is recorded gets the same test.
static void lose_memories(struct ai8x_firmware *soc, unsigned group)
{
	const uint32_t address = part_register_address(soc->part, REG_SRAM_TEST, group, 0);
	uint32_t tests = 0;
	for (size_t i = 0; i < soc->part->test_count; i++)
		if (!soc->part->tests[i].registers)
			tests |= soc->part->tests[i].select | soc->part->tests[i].run;
	write_recorded(soc, address, 0);
	write_recorded(soc, address, tests);
	write_recorded(soc, address, 0);
}

void cnn_power(struct ai8x_firmware *soc)
{
	const uint32_t lost = soc->cnn.lost;
	soc->cnn.lost = 0;
	if (lost != CNN_QUADRANTS) {
		for (unsigned group = 0; group < AI8X_GROUPS; group++)
			if ((lost >> group & 1) != 0)
				lose_memories(soc, group);
		return;
	}
	soc->cnn.busy = soc->cnn.paused = false;
	ai8x_machine_reset(soc->cnn.machine);
	if (soc->recorder.program != NULL && !soc->recorder.ran && soc->result.inference_count > 0 &&
	    record_begin(soc, NULL) != AI8X_OK)
		soc->recorder.failed = true;
	update_line(soc);
}

void cnn_write(struct ai8x_firmware *soc, uint32_t address, uint32_t value, unsigned bytes)
{
	struct cnn *cnn = &soc->cnn;
	cnn->writes++;
	if (cnn->busy)
		carry_on(soc);
	if (!cnn->busy && !is_control(soc, address))
		phase_load(soc);
	if (bytes == 2) {
		soc_end(
			soc, AI8X_FIRMWARE_ACCELERATOR, AI8X_ERR_ALIGNMENT,
			"16-bit write to the accelerator at 0x%08x; it has 32-bit writes (and the 8-bit one that sets "
			"a weight address)",
			address);
		return;
	}
	if (is_fifo_data(address)) {
		push(soc, address, value);
		return;
	}
	const bool control = bytes == 4 && is_control(soc, address);
	if (cnn->busy && control && address == cnn->control && switch_run(soc, value))
		return;
	if (cnn->paused && carried_out(cnn))
		give_up_run(soc);
	bool was_running = ai8x_machine_running(cnn->machine);
	if (!cnn->busy)
		record_write(soc, bytes == 1 ? AI8X_BUS_WRITE8 : AI8X_BUS_WRITE32, address, value);
	if (pass_on(soc, address, value, bytes) != AI8X_OK || !control)
		return;
	if (!was_running && ai8x_machine_running(cnn->machine))
		start(soc, address);
	update_line(soc);
	soc_changed(soc);
}

// The fast FIFO lies among the peripherals; its row stands for the accelerator.
static uint32_t load(struct ai8x_firmware *soc, const struct peripheral *row, uint32_t offset)
{
	return cnn_read(soc, row->base + offset, 4);
}

static void store(struct ai8x_firmware *soc, const struct peripheral *row, uint32_t offset, uint32_t value)
{
	cnn_write(soc, row->base + offset, value, 4);
}

static void stood_still(struct ai8x_firmware *soc, const struct peripheral *row, uint64_t time)
{
	(void)row;
	struct cnn *cnn = &soc->cnn;
	cnn->start += time;
	cnn->paused_at += time;
	if (cnn->end != TIME_NEVER)
		cnn->end += time;
}

static const struct peripheral_register registers[] = {
	{0x00, true, "CR"}, {0x04, true, "SR"}, {0x08, true, "IE"},
	{0x0c, true, "IS"}, {0x10, true, "DR"}, {0x14, true, "DMA"},
};

const struct peripheral_block cnn_block = {
	REGISTERS(registers), .read = load, .write = store,
	.sync = carry_out,    .next = next, .stood_still = stood_still,
};
