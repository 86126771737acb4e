// FIFO words on their way into data memory (hardware reference 5.1, 5.2).
#ifndef AI8X_EXACT_INPUT_H
#define AI8X_EXACT_INPUT_H

#include "exact/exact.h"

struct exact_input {
	struct exact_context *context;
	struct fifo *fifos;          // FIFO_COUNT of them
	uint32_t enabled;            // bit f: FIFO f feeds the machine
	struct exact_layer *consumer;// the layer that is fed; NULL: not begun, or done
	bool bytes_to_groups;        // fast FIFO: byte k goes to the first processor of group k
	bool fan_out;                // fast FIFO: every word goes to all groups
	uint64_t stored;             // words per FIFO stored so far
	uint64_t frame;              // words of a frame, after which nothing more is taken
};

// Moves words until `until` words per FIFO are stored, or the frame is complete. False: a FIFO ran empty
// (its number in *empty).
// Data memory instances that FIFOs fill (bit i: instance i).
uint32_t exact_input_instances(const struct exact_input *input);

bool exact_input_pull(struct exact_input *input, uint64_t until, unsigned *empty);

#endif
