// A description as a YAML document whose values can be replaced; see document.c.
#ifndef AI8X_SWEEP_DOCUMENT_H
#define AI8X_SWEEP_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>

#include <yaml.h>

#include <ai8xsim/status.h>

// Reads a whole file of at most YAML_MOST_BYTES; the caller frees the text.
ai8x_status document_read(const char *path, char **text, size_t *size, ai8x_error *error);

// Parses keys and values; the caller deletes the document.
ai8x_status document_load(const char *path, const char *text, size_t size, yaml_document_t *document,
                          ai8x_error *error);

// Writes a document as text that the caller frees, and deletes it.
ai8x_status document_dump(yaml_document_t *document, char **text, size_t *size, ai8x_error *error);

yaml_node_t *document_node(const yaml_document_t *document, int id);

// The text of a scalar; NULL: it is none.
const char *document_scalar(const yaml_node_t *node);

// The value of a mapping's key; NULL: it has none.
yaml_node_t *document_find(const yaml_document_t *document, const yaml_node_t *mapping, const char *key);

size_t document_items(const yaml_node_t *sequence);
size_t document_pairs(const yaml_node_t *mapping);

// Item number i of the key "layers", or NULL.
const yaml_node_t *document_layer(const yaml_document_t *network, size_t i);

// true: LAYER.KEY or *.KEY names a layer.
bool document_has_layer(const yaml_document_t *network, const char *path);

// Copies a scalar or list between documents; 0 when it is neither, or out of memory.
int document_copy(const yaml_document_t *from, int id, yaml_document_t *to);

// Sets LAYER.KEY, *.KEY (all layers with weights) or KEY, whichever way the key is spelled there. False: there is no such
// layer, or out of memory.
bool document_set(yaml_document_t *network, const char *path, int value);

#endif
