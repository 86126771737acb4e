// Phases of a run: where its time went, as a power monitor sees it, and the accelerator's energy where a law gives it.
#include "firmware/power.h"

#include <ai8xsim/time.h>

#include "firmware/vcd.h"

// The modes of power.h and their phases; what is none of them is active.
static const struct {
	enum power_mode mode;
	enum soc_phase phase;
} sleeps[] = {
	{POWER_SLEEP, PHASE_SLEEP},     {POWER_LOW, PHASE_LOW},       {POWER_MICRO, PHASE_MICRO},
	{POWER_STANDBY, PHASE_STANDBY}, {POWER_BACKUP, PHASE_BACKUP}, {POWER_DOWN, PHASE_BACKUP},
};

static enum soc_phase now_in(const struct ai8x_firmware *soc)
{
	if (soc->phases.runs)
		return PHASE_RUN;
	for (size_t i = 0; i < sizeof sleeps / sizeof sleeps[0]; i++)
		if (soc->phases.mode == (uint32_t)sleeps[i].mode)
			return sleeps[i].phase;
	return soc->phases.loads ? PHASE_LOAD : PHASE_ACTIVE;
}

static void change(struct ai8x_firmware *soc)
{
	struct phases *phases = &soc->phases;
	phases->time[phases->phase] += soc->now - phases->since;
	phases->since = soc->now;
	phases->phase = now_in(soc);
	vcd_set(soc, VCD_PHASE, phases->phase);
}

void phase_begin(struct ai8x_firmware *soc)
{
	soc->phases = (struct phases){0};
}

void phase_sleep(struct ai8x_firmware *soc, enum power_mode mode)
{
	soc->phases.mode = (uint32_t)mode;
	vcd_set(soc, VCD_SLEEPS, mode != POWER_ACTIVE);
	change(soc);
}

void phase_load(struct ai8x_firmware *soc)
{
	if (soc->phases.loads)
		return;
	soc->phases.loads = true;
	change(soc);
}

// Of the run that has just ended.
static double energy(const struct ai8x_firmware *soc)
{
	double joules = 0;
	for (size_t i = 0; i < ai8x_machine_layer_count(soc->cnn.machine); i++) {
		const ai8x_layer_report *report = ai8x_machine_layer_report(soc->cnn.machine, i);
		if (report != NULL && report->finished)
			joules += ai8x_energy_layer_at(&report->layer, &report->counters, 0, 0);
	}
	return joules;
}

void phase_run(struct ai8x_firmware *soc, bool runs)
{
	if (soc->phases.runs && !runs)
		soc->phases.joules += energy(soc);
	soc->phases.runs = runs;
	soc->phases.loads = false;
	change(soc);
}

void phase_end(struct ai8x_firmware *soc)
{
	static const char *const names[PHASES] = {"active",    "load",        "run",     "sleep",
	                                          "low power", "micro power", "standby", "backup"};
	change(soc);
	size_t count = 0;
	for (unsigned phase = 0; phase < PHASES; phase++)
		if (soc->phases.time[phase] > 0)
			soc->phases.rows[count++] = (ai8x_firmware_phase){
				.name = names[phase],
				.seconds = (double)soc->phases.time[phase] / (double)FS_PER_SECOND,
				.joules = phase == PHASE_RUN ? soc->phases.joules : -1,
			};
	soc->result.phases = soc->phases.rows;
	soc->result.phase_count = count;
}
