// Where a recorded layer says its output lies in data memory, from the attributes its generator wrote:
// the counterpart of ai8x_layer_place(), which says where the registers put it.
#ifndef AI8X_RUNNER_PLACEMENT_H
#define AI8X_RUNNER_PLACEMENT_H

#include <ai8xsim/program.h>

struct placement {
	uint64_t processors; // output processors
	unsigned first;      // lowest output processor, rounded down to its instance
	uint32_t channels, rows, columns;
	uint32_t passes;      // output passes
	uint32_t per_pass;    // channels in a pass
	uint32_t gap;         // words left out between words
	uint32_t value_bytes; // 1 or 4
	uint32_t word;        // first word in every instance
};

struct coordinates {
	uint32_t channel, row, column;
};

// Fills placement from layer `position` of the program. Returns false where attributes are missing or make
// no sense: then nothing is known.
bool placement_of(const ai8x_program *program, size_t position, struct placement *placement);

// The processor whose lane holds a channel, or -1.
int placement_processor(const struct placement *placement, uint32_t channel);

// Bus address of the word that holds a value.
uint32_t placement_address(const struct placement *placement, const ai8x_part *part, uint32_t channel,
                           uint32_t pixel);

// Which value byte lane `lane` of a data memory word holds (for 32-bit output the word itself). Returns
// false when the layer puts nothing there.
bool placement_find(const struct placement *placement, unsigned instance, uint32_t word, unsigned lane,
                    struct coordinates *at);

// Which slot and output pixel of a layer, as the machine runs it, compute a recorded value. `emulated`: the
// generator maps the operator on another one of the hardware, so that pixels are counted from another
// origin. Returns false when the layer computes no such value.
bool placement_slot(const struct placement *placement, const ai8x_layer *layer, bool emulated,
                    uint32_t channel, uint32_t pixel, uint32_t *slot, uint32_t *layer_pixel);

// Splits a bus address into data memory instance and word. Returns false outside of data memory.
bool data_memory_split(const ai8x_part *part, uint32_t address, unsigned *instance, uint32_t *word);

#endif
