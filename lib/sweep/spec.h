// A grid as its specification says it; see spec.c. sweep.c computes it, results.c writes the results.
#ifndef AI8X_SWEEP_SPEC_H
#define AI8X_SWEEP_SPEC_H

#include <yaml.h>

#include <ai8xsim/network.h>
#include <ai8xsim/sweep.h>

#include "sweep/measures.h"

enum { SWEEP_MAX_VALUES = 4096, SWEEP_MAX_SETTINGS = 1024, SWEEP_PATH = 256, SWEEP_LABEL = 64 };

// One key of the network that a value of an axis sets.
struct setting {
	const char *path; // LAYER.KEY, *.KEY, or KEY of the network; in the specification's document
	int node;         // of the value, in the specification's document
};

struct axis_value {
	char label[SWEEP_LABEL];
	struct setting *settings;
	size_t count;
};

struct axis {
	const char *name;
	const yaml_node_t *node; // its values, for the line of messages
	bool is_part;
	struct axis_value *values;
	size_t count;
};

struct ai8x_sweep {
	char *path, *network_path, *name;
	char *network_text;
	size_t network_size;
	yaml_document_t spec;
	bool spec_loaded;
	struct axis axes[AI8X_SWEEP_MAX_AXES];
	size_t axis_count;
	const struct sweep_measure *objective[2];
	bool more[2];
	ai8x_sweep_point *points;
	size_t point_count;
	uint64_t identity;
	bool running;        // ai8x_sweep_run() has not returned
	uint32_t shape[3];   // of the input, 0: not given
	ai8x_network *model; // the network as described, with its weights; NULL where it needs parameters
};

// Position of a point on an axis.
size_t sweep_position(const ai8x_sweep *sweep, size_t point, size_t axis);

// The network's description at a point, as YAML text that the caller frees.
ai8x_status sweep_describe(const ai8x_sweep *sweep, size_t point, char **text, size_t *size,
                           ai8x_error *error);

// spelling.c: what is misspelt or said twice. The first looks at the keys of the specification itself, the second at
// parameters and their values.
ai8x_status sweep_check_keys(const ai8x_sweep *sweep, ai8x_error *error);
ai8x_status sweep_check_spelling(const ai8x_sweep *sweep, ai8x_error *error);
ai8x_status sweep_bad_alternative(const ai8x_sweep *sweep, const yaml_node_t *key, ai8x_error *error);
ai8x_status sweep_bad_measure(const ai8x_sweep *sweep, const yaml_node_t *node, const char *word,
                              ai8x_error *error);

#endif
