// FIFO words on their way into data memory (hardware reference 5.1, 5.2).
#ifndef AI8X_MACHINE_INPUT_H
#define AI8X_MACHINE_INPUT_H

#include "exact/exact.h"

// Words of a host that is never late, for each FIFO that feeds the machine. Nobody watches how they get there.
struct supply {
	const uint32_t *next[FIFO_COUNT];
	uint64_t left; // of each
};

struct input {
	struct exact_context *context;
	struct fifo *fifos;         // FIFO_COUNT of them
	uint32_t enabled;           // bit f: FIFO f feeds the machine
	bool bytes_to_groups;       // fast FIFO: byte k goes to the first processor of group k
	bool fan_out;               // fast FIFO: every word goes to all groups
	const ai8x_layer *layer;    // the layer that is fed; NULL: not begun, or done
	struct stream_image *image; // its input
	uint64_t stored;            // words per FIFO stored so far
	uint64_t place;             // of the next one after the start of the ring or image
	uint64_t frame;             // words of a frame, after which nothing more is taken
	struct supply supply;       // taken before what FIFOs hold
};

// Data memory instances that FIFOs fill (bit i: instance i).
uint32_t input_instances(const struct input *input);

// Moves words until `until` words per FIFO are stored, or the frame is complete. False: a FIFO ran empty
// (its number in *empty).
bool input_pull(struct input *input, uint64_t until, unsigned *empty);

#endif
