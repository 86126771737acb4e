// The run as a value change dump: pins, characters, exceptions, the accelerator and sleep, by simulated time.
#ifndef AI8X_FIRMWARE_VCD_H
#define AI8X_FIRMWARE_VCD_H

#include "firmware/soc.h"

enum vcd_signal {
	VCD_GPIO0,                     // to GPIO3: levels of the pins that the chip drives
	VCD_UART0 = VCD_GPIO0 + 4,     // to UART3: the character that was sent last
	VCD_EXCEPTION = VCD_UART0 + 4, // number of the active exception, 0: none
	VCD_CNN_RUNS,
	VCD_INFERENCES, // that have started
	VCD_SLEEPS,
	VCD_PHASE,     // of enum soc_phase
	VCD_RV32_RUNS, // the second core executes instructions
	VCD_CNN_LAYER, // 1 + the layer that started last, 0: none runs
	VCD_CNN_STATE, // what the accelerator's sequencer does, of ai8x_state
	VCD_SIGNALS,
};

// Opens options.board->vcd, where it is given. AI8X_ERR_IO: it cannot be written.
ai8x_status vcd_open(struct ai8x_firmware *soc);
// false: it could not be written whole.
bool vcd_close(struct ai8x_firmware *soc);
void vcd_change(struct ai8x_firmware *soc, enum vcd_signal signal, uint32_t value);

// A signal's value from now on. Costs nothing where no dump was asked for.
static inline void vcd_set(struct ai8x_firmware *soc, unsigned signal, uint32_t value)
{
	if (soc->vcd != NULL)
		vcd_change(soc, (enum vcd_signal)signal, value);
}

#endif
