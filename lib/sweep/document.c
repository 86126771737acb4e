// YAML documents of sweeps: reading them, looking into them, replacing values, writing them as text.
#include "sweep/document.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/file.h"
#include "network/read_yaml.h"
#include "network/yaml_load.h"

// --- Files -------------------------------------------------------------------------------------------

ai8x_status document_read(const char *path, char **text, size_t *size, ai8x_error *error)
{
	unsigned char *bytes = NULL;
	ai8x_status status = file_read(path, YAML_MOST_BYTES, &bytes, size, error);
	*text = (char *)bytes;
	return status;
}

ai8x_status document_load(const char *path, const char *text, size_t size, yaml_document_t *document,
                          ai8x_error *error)
{
	ai8x_status status = yaml_load(path, text, size, document, error);
	if (status == AI8X_OK && (yaml_document_get_root_node(document) == NULL ||
	                          yaml_document_get_root_node(document)->type != YAML_MAPPING_NODE)) {
		yaml_document_delete(document);
		status = error_set(error, AI8X_ERR_FORMAT, "%s: expected keys and values", path);
	}
	return status;
}

// --- Nodes -------------------------------------------------------------------------------------------

yaml_node_t *document_node(const yaml_document_t *document, int id)
{
	return document->nodes.start + id - 1;
}

const char *document_scalar(const yaml_node_t *node)
{
	return node != NULL && node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value : NULL;
}

static yaml_node_pair_t *find_pair(const yaml_document_t *document, const yaml_node_t *mapping,
                                   const char *key)
{
	for (yaml_node_pair_t *pair = mapping->data.mapping.pairs.start; pair < mapping->data.mapping.pairs.top;
	     pair++) {
		const char *name = document_scalar(document_node(document, pair->key));
		if (name != NULL && strcmp(name, key) == 0)
			return pair;
	}
	return NULL;
}

yaml_node_t *document_find(const yaml_document_t *document, const yaml_node_t *mapping, const char *key)
{
	const yaml_node_pair_t *pair = find_pair(document, mapping, key);
	return pair != NULL ? document_node(document, pair->value) : NULL;
}

size_t document_items(const yaml_node_t *sequence)
{
	return (size_t)(sequence->data.sequence.items.top - sequence->data.sequence.items.start);
}

size_t document_pairs(const yaml_node_t *mapping)
{
	return (size_t)(mapping->data.mapping.pairs.top - mapping->data.mapping.pairs.start);
}

// --- Replacing values --------------------------------------------------------------------------------

int document_copy(const yaml_document_t *from, int id, yaml_document_t *to)
{
	const yaml_node_t *node = document_node(from, id);
	if (node->type == YAML_SCALAR_NODE)
		return yaml_document_add_scalar(to, NULL, node->data.scalar.value, (int)node->data.scalar.length,
		                                node->data.scalar.style);
	if (node->type != YAML_SEQUENCE_NODE)
		return 0;
	const int list = yaml_document_add_sequence(to, NULL, YAML_FLOW_SEQUENCE_STYLE);
	for (size_t i = 0; list != 0 && i < document_items(node); i++) {
		const int item_id = node->data.sequence.items.start[i];
		const int item =
			document_node(from, item_id)->type == YAML_SCALAR_NODE ? document_copy(from, item_id, to) : 0;
		if (item == 0 || !yaml_document_append_sequence_item(to, list, item))
			return 0;
	}
	return list;
}

// Node numbers, not pointers: adding nodes moves them.
static bool set_key(yaml_document_t *network, int mapping, const char *key, int value)
{
	const yaml_node_t *node = document_node(network, mapping);
	for (size_t i = 0; i < document_pairs(node); i++) {
		yaml_node_pair_t *pair = &node->data.mapping.pairs.start[i];
		const char *name = document_scalar(document_node(network, pair->key));
		if (name != NULL && network_same_key(name, key)) {
			pair->value = value;
			return true;
		}
	}
	const int name =
		yaml_document_add_scalar(network, NULL, (const yaml_char_t *)key, -1, YAML_PLAIN_SCALAR_STYLE);
	return name != 0 && yaml_document_append_mapping_pair(network, mapping, name, value);
}

static bool has_weights(const yaml_document_t *network, const yaml_node_t *layer)
{
	static const char *const keys[] = {"operation", "op", "operator", "convolution"};
	const char *operation = NULL;
	for (size_t i = 0; i < sizeof keys / sizeof keys[0] && operation == NULL; i++)
		operation = document_scalar(document_find(network, layer, keys[i]));
	return operation == NULL ||
	       (strcasecmp(operation, "none") != 0 && strcasecmp(operation, "passthrough") != 0);
}

static bool is_layer(const yaml_document_t *network, const yaml_node_t *layer, size_t position,
                     const char *path, size_t length)
{
	char number[24];
	const char *name = document_scalar(document_find(network, layer, "name"));
	(void)snprintf(number, sizeof number, "%zu", position);
	return (strlen(number) == length && strncmp(number, path, length) == 0) ||
	       (name != NULL && strlen(name) == length && strncasecmp(name, path, length) == 0);
}

const yaml_node_t *document_layer(const yaml_document_t *network, size_t i)
{
	const yaml_node_t *layers = document_find(network, document_node(network, 1), "layers");
	if (layers == NULL || layers->type != YAML_SEQUENCE_NODE || i >= document_items(layers))
		return NULL;
	return document_node(network, layers->data.sequence.items.start[i]);
}

// Whether item number i is meant by LAYER.KEY; dot: that of the path.
static bool is_meant(const yaml_document_t *network, size_t i, const char *path, const char *dot)
{
	const yaml_node_t *layer = document_layer(network, i);
	const bool all = dot == path + 1 && path[0] == '*';
	if (layer == NULL || layer->type != YAML_MAPPING_NODE)
		return false;
	return all ? has_weights(network, layer) : is_layer(network, layer, i, path, (size_t)(dot - path));
}

bool document_has_layer(const yaml_document_t *network, const char *path)
{
	for (size_t i = 0; document_layer(network, i) != NULL; i++)
		if (is_meant(network, i, path, strrchr(path, '.')))
			return true;
	return false;
}

bool document_set(yaml_document_t *network, const char *path, int value)
{
	const char *dot = strrchr(path, '.');
	const int root = 1;
	bool found = false;
	if (dot == NULL)
		return set_key(network, root, path, value);
	for (size_t i = 0; document_layer(network, i) != NULL; i++) {
		if (!is_meant(network, i, path, dot))
			continue;
		const yaml_node_t *layers = document_find(network, document_node(network, root), "layers");
		if (!set_key(network, layers->data.sequence.items.start[i], dot + 1, value))
			return false;
		found = true;
	}
	return found;
}

struct text_buffer {
	char *bytes;
	size_t size;
};

static int append(void *user, unsigned char *bytes, size_t size)
{
	struct text_buffer *buffer = user;
	char *grown = realloc(buffer->bytes, buffer->size + size + 1);
	if (grown == NULL)
		return 0;
	memcpy(grown + buffer->size, bytes, size);
	buffer->bytes = grown;
	buffer->size += size;
	return 1;
}

ai8x_status document_dump(yaml_document_t *document, char **text, size_t *size, ai8x_error *error)
{
	struct text_buffer buffer = {0};
	yaml_emitter_t emitter;
	if (!yaml_emitter_initialize(&emitter)) {
		yaml_document_delete(document);
		return error_no_memory(error, "a description");
	}
	yaml_emitter_set_output(&emitter, append, &buffer);
	yaml_emitter_set_width(&emitter, -1);
	const bool ok =
		yaml_emitter_open(&emitter) && yaml_emitter_dump(&emitter, document) && yaml_emitter_close(&emitter);
	yaml_emitter_delete(&emitter);
	if (!ok) {
		free(buffer.bytes);
		return error_no_memory(error, "a description");
	}
	*text = buffer.bytes;
	*size = buffer.size;
	return AI8X_OK;
}
