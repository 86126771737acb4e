// Power: the modes in which the chip's clocks stand still (power.c), and the phases of a run (phases.c).
#ifndef AI8X_FIRMWARE_POWER_H
#define AI8X_FIRMWARE_POWER_H

#include "firmware/soc.h"

// As the register of modes has them.
enum power_mode {
	POWER_ACTIVE = 0,
	POWER_SLEEP = 1,
	POWER_STANDBY = 2,
	POWER_BACKUP = 4,
	POWER_LOW = 8,
	POWER_MICRO = 9,
	POWER_DOWN = 10,
};

// The mode that the firmware has chosen.
enum power_mode power_mode(struct ai8x_firmware *soc);
// The clocks stop until something wakes the chip. false: nothing can, or the run has ended.
bool power_sleep(struct ai8x_firmware *soc, enum power_mode mode);
// Something has ended a mode: the chip is active, and the register says so.
void power_wake(struct ai8x_firmware *soc);
// Backup mode, from entry to the reset that ends it. false: nothing can end it.
bool power_back_up(struct ai8x_firmware *soc);

// ---- phases.c: what the time went to ----

void phase_begin(struct ai8x_firmware *soc);
// The core sleeps in that mode, or is active again.
void phase_sleep(struct ai8x_firmware *soc, enum power_mode mode);
// The accelerator is written to while it does not run: that is loading until it starts.
void phase_load(struct ai8x_firmware *soc);
// It runs, or has ended.
void phase_run(struct ai8x_firmware *soc, bool runs);
// The run is over: its phases are in the result.
void phase_end(struct ai8x_firmware *soc);

#endif
