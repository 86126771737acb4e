// YAML of unknown origin: loaded only where it is no larger, deeper or longer than a description can be.
#ifndef AI8X_NETWORK_YAML_LOAD_H
#define AI8X_NETWORK_YAML_LOAD_H

#include <stddef.h>

#include <yaml.h>

#include <ai8xsim/status.h>

// More than any description has by far. libyaml's effort grows with the square of some of them.
enum {
	YAML_MOST_BYTES = 4 << 20,
	YAML_MOST_DEPTH = 64, // lists in lists, mappings in mappings
	YAML_MOST_NODES = 200000,
	YAML_MOST_ANCHORS = 1000,
	YAML_MOST_DIRECTIVES = 64,
	YAML_MOST_SCALAR = 4096, // bytes of a word
};

// Loads the first document; the caller deletes it. file: for messages, which name the line. AI8X_ERR_LIMIT where it is
// too much of something, AI8X_ERR_FORMAT where it is not YAML.
ai8x_status yaml_load(const char *file, const char *text, size_t size, yaml_document_t *document,
                      ai8x_error *error);

#endif
