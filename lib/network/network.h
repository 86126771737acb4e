// What the files of this block share: building blocks for reading, resolving, placing and emitting networks.
// Public structs and their meaning: <ai8xsim/network.h>.
#ifndef AI8X_NETWORK_NETWORK_H
#define AI8X_NETWORK_NETWORK_H

#include <stdarg.h>

#include <ai8xsim/network.h>

#include "base/bits.h"
#include "base/error.h"

// Sizes beyond which a description is refused as nonsense rather than worked on.
#define NETWORK_MAX_LAYERS 1024u
#define NETWORK_MAX_CHANNELS 65536u
#define NETWORK_MAX_SIDE 65536u
#define NETWORK_MAX_ELEMENTS ((size_t)1 << 28)
#define NETWORK_MAX_FILE ((size_t)1 << 30)

// Sets a message of the form "file:line: layer N (name): text". position < 0: no layer.
ai8x_status network_error(ai8x_error *error, ai8x_status status, const ai8x_network *network, int position,
                          const char *format, ...) __attribute__((format(printf, 5, 6)));

// Appends a note in the same form as errors. Forgotten silently when the host has no memory: notes are
// a courtesy.
void network_note(ai8x_network *network, int position, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

// The same for what is possible but hardly meant.
void network_warning(ai8x_network *network, int position, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

// true: the operation uses weights (of its own or another layer's).
bool network_has_weights(const ai8x_network_layer *layer);

// ai8x_network_parse() for a variant of a network: where the text does not tell the input's size or a layer's output
// channels, those of `like` are taken, if they came from its files. like: may be NULL.
ai8x_status network_parse_like(const char *text, size_t size, const char *file_name,
                               const ai8x_network_files *files, const ai8x_network *like,
                               ai8x_network **network, ai8x_error *error);

// As ai8x_network_compile() with default options, for who wants to know what it costs: the same operations, without
// looking for values that meet in memory (which are warnings), attributes, and input.
ai8x_status network_compile_structure(ai8x_network *network, const ai8x_part *part, ai8x_program **program,
                                      ai8x_error *error);

// true: the layer adds a bias that is not all 0; while there are no weights, wanting one is enough.
bool network_adds_bias(const ai8x_network *network, int position);

// Takes the fan-in and element count that a layer's weights must have from its resolved shape.
size_t network_weight_count(const ai8x_network_layer *layer);

// Channels, rows and columns of a layer's output, or of the network's input (AI8X_NETWORK_INPUT).
void network_source_shape(const ai8x_network *network, int source, uint32_t shape[3]);

// What layer number "position" reads when nothing else was given: the layer that runs before it.
int network_previous(const ai8x_network *network, size_t position);

// The position of the layer that runs after "position", or -1. Snoop links are not followed.
int network_next(const ai8x_network *network, size_t position);

static inline uint32_t divide_up(uint32_t a, uint32_t b)
{
	return (a + b - 1) / b;
}

// Size of one channel's image, without overflow for the sizes that resolving admits.
static inline size_t image_size(uint32_t rows, uint32_t columns)
{
	return (size_t)rows * columns;
}

#endif
