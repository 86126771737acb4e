// The second core: an RV32 beside the Cortex-M4, on the same memories and peripherals.
//
// It has its own engine, its own clock and its own time, which never runs ahead of the chip's by itself: while the
// Cortex-M4 runs, the second core catches up a slice at a time (rv32_follow), and while that one sleeps, the second core
// leads, and the chip's time passes with its instructions (rv32_lead). core.c takes the turns; rv32.c is the core;
// rv32_intr.c its interrupt controller, rv32_cycles.c what its code costs. Facts: firmware reference 8.
#ifndef AI8X_FIRMWARE_RV32_H
#define AI8X_FIRMWARE_RV32_H

#include "firmware/soc.h"

// ---- rv32.c ----

// It executes instructions: its clock runs, and it neither sleeps nor loops for ever.
static inline bool rv32_runs(const struct ai8x_firmware *soc)
{
	return soc->rv32.due != TIME_NEVER;
}
// It has been started and may go on: it runs or sleeps.
bool rv32_is_alive(const struct ai8x_firmware *soc);
// Brings it up to the chip's time.
void rv32_follow(struct ai8x_firmware *soc);
// The other core sleeps: the chip's time passes with this one's, until something is due or asks for attention.
void rv32_lead(struct ai8x_firmware *soc);
void rv32_close(struct ai8x_firmware *soc);

// ---- rv32_intr.c ----

#define RV32_INTR_BASE 0xE5070000u
#define RV32_INTR_BYTES 0x1000u

uint32_t rv32_intr_read(const struct ai8x_firmware *soc, uint32_t offset);
void rv32_intr_write(struct ai8x_firmware *soc, uint32_t offset, uint32_t value);
// The first interrupt that is pending and enabled, or -1.
int rv32_intr_next(const struct ai8x_firmware *soc);
// The core enters that interrupt.
void rv32_intr_acknowledge(struct ai8x_firmware *soc, unsigned number);
// A line of the chip, by the Cortex-M4's number; rv32_intr_mail is the one that the other core raises.
void rv32_intr_line(struct ai8x_firmware *soc, unsigned irq, bool high);
void rv32_intr_mail(struct ai8x_firmware *soc, bool high);
// It listens to that line.
bool rv32_intr_enabled(const struct ai8x_firmware *soc, unsigned irq);

// ---- rv32_cycles.c ----

// Cycles of a block of code; what the branch at its end costs more when it is taken goes to *taken.
uint32_t rv32_code_cycles(const uint8_t *code, uint32_t bytes, uint32_t *taken);

#endif
