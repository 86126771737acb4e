// Specifications of sweeps (docs/sweep.md): which network, which of its keys, which values. A point of the grid is
// the network's own YAML document with some values replaced, so that whatever a description can say can be varied.
#include "sweep/spec.h"

#include <stdlib.h>
#include <string.h>

#include <ai8xsim/part.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "network/read_yaml.h"
#include "network/yaml_load.h"

// --- Files -------------------------------------------------------------------------------------------

static ai8x_status read_text(const char *path, char **text, size_t *size, ai8x_error *error)
{
	unsigned char *bytes = NULL;
	ai8x_status status = file_read(path, YAML_MOST_BYTES, &bytes, size, error);
	*text = (char *)bytes;
	return status;
}

static ai8x_status load_document(const char *path, const char *text, size_t size, yaml_document_t *document,
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

static yaml_node_t *node_at(const yaml_document_t *document, int id)
{
	return document->nodes.start + id - 1;
}

static const char *scalar(const yaml_node_t *node)
{
	return node != NULL && node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value : NULL;
}

static yaml_node_pair_t *find_pair(const yaml_document_t *document, const yaml_node_t *mapping,
                                   const char *key)
{
	for (yaml_node_pair_t *pair = mapping->data.mapping.pairs.start; pair < mapping->data.mapping.pairs.top;
	     pair++) {
		const char *name = scalar(node_at(document, pair->key));
		if (name != NULL && strcmp(name, key) == 0)
			return pair;
	}
	return NULL;
}

static yaml_node_t *find_value(const yaml_document_t *document, const yaml_node_t *mapping, const char *key)
{
	const yaml_node_pair_t *pair = find_pair(document, mapping, key);
	return pair != NULL ? node_at(document, pair->value) : NULL;
}

static size_t item_count(const yaml_node_t *sequence)
{
	return (size_t)(sequence->data.sequence.items.top - sequence->data.sequence.items.start);
}

static size_t pair_count(const yaml_node_t *mapping)
{
	return (size_t)(mapping->data.mapping.pairs.top - mapping->data.mapping.pairs.start);
}

// A value as people read it: scalars, and lists of scalars.
static void make_label(const yaml_document_t *document, int id, char label[SWEEP_LABEL])
{
	const yaml_node_t *node = node_at(document, id);
	const char *text = scalar(node);
	size_t used = 0;
	label[0] = '\0';
	if (text != NULL)
		(void)snprintf(label, SWEEP_LABEL, "%s", text);
	else if (node->type == YAML_SEQUENCE_NODE) {
		for (size_t i = 0; i < item_count(node) && used < SWEEP_LABEL; i++) {
			text = scalar(node_at(document, node->data.sequence.items.start[i]));
			used += (size_t)snprintf(label + used, SWEEP_LABEL - used, "%s%s", i > 0 ? "," : "",
			                         text != NULL ? text : "?");
		}
	}
}

// --- Axes --------------------------------------------------------------------------------------------

static ai8x_status bad(const ai8x_sweep *sweep, const yaml_node_t *node, ai8x_error *error, const char *what)
{
	return error_set(error, AI8X_ERR_FORMAT, "%s:%zu: %s", sweep->path, node->start_mark.line + 1, what);
}

static ai8x_status too_many(const ai8x_sweep *sweep, const yaml_node_t *node, ai8x_error *error, size_t count,
                            const char *what, size_t most)
{
	return error_set(error, AI8X_ERR_FORMAT, "%s:%zu: %zu %s; expected 1 to %zu", sweep->path,
	                 node->start_mark.line + 1, count, what, most);
}

// A value with room for its settings, or NULL.
static struct axis_value *add_value(const ai8x_sweep *sweep, struct axis *axis, size_t settings,
                                    ai8x_error *error)
{
	struct axis_value *value = &axis->values[axis->count];
	value->settings = calloc(settings + 1, sizeof *value->settings);
	if (value->settings == NULL) {
		(void)error_no_memory(error, sweep->path);
		return NULL;
	}
	value->count = settings;
	axis->count++;
	return value;
}

// A list of values, for one path or for several at once.
static ai8x_status read_list(ai8x_sweep *sweep, struct axis *axis, const yaml_node_t *list,
                             const yaml_node_t *paths, ai8x_error *error)
{
	const size_t count = paths != NULL ? item_count(paths) : 1;
	ai8x_status status = AI8X_OK;
	for (size_t i = 0; i < item_count(list) && status == AI8X_OK; i++) {
		const int id = list->data.sequence.items.start[i];
		struct axis_value *value = add_value(sweep, axis, count, error);
		if (value == NULL)
			return AI8X_ERR_NO_MEMORY;
		for (size_t k = 0; k < count && status == AI8X_OK; k++) {
			const yaml_node_t *path =
				paths != NULL ? node_at(&sweep->spec, paths->data.sequence.items.start[k]) : list;
			value->settings[k].node = id;
			value->settings[k].path = paths != NULL ? scalar(path) : axis->name;
			if (value->settings[k].path == NULL)
				status = bad(sweep, path, error, "expected LAYER.KEY");
		}
		if (status == AI8X_OK)
			make_label(&sweep->spec, id, value->label);
	}
	return status;
}

// Named alternatives, each setting keys of its own.
static ai8x_status read_alternatives(ai8x_sweep *sweep, struct axis *axis, const yaml_node_t *node,
                                     ai8x_error *error)
{
	ai8x_status status = AI8X_OK;
	for (size_t i = 0; i < pair_count(node) && status == AI8X_OK; i++) {
		const yaml_node_pair_t *pair = &node->data.mapping.pairs.start[i];
		const yaml_node_t *settings = node_at(&sweep->spec, pair->value);
		if (settings->type != YAML_MAPPING_NODE)
			return bad(sweep, settings, error, "expected LAYER.KEY: VALUE, or the keys set and values");
		struct axis_value *value = add_value(sweep, axis, pair_count(settings), error);
		if (value == NULL)
			return AI8X_ERR_NO_MEMORY;
		for (size_t k = 0; k < pair_count(settings) && status == AI8X_OK; k++) {
			const yaml_node_pair_t *setting = &settings->data.mapping.pairs.start[k];
			value->settings[k].path = scalar(node_at(&sweep->spec, setting->key));
			value->settings[k].node = setting->value;
			if (value->settings[k].path == NULL)
				status = bad(sweep, settings, error, "expected LAYER.KEY");
		}
		if (status == AI8X_OK)
			make_label(&sweep->spec, pair->key, value->label);
	}
	return status;
}

static ai8x_status read_axis(ai8x_sweep *sweep, const yaml_node_pair_t *pair, ai8x_error *error)
{
	const yaml_node_t *node = node_at(&sweep->spec, pair->value);
	const char *name = scalar(node_at(&sweep->spec, pair->key));
	if (sweep->axis_count == AI8X_SWEEP_MAX_AXES)
		return too_many(sweep, node, error, sweep->axis_count + 1, "parameters", AI8X_SWEEP_MAX_AXES);
	struct axis *axis = &sweep->axes[sweep->axis_count++];
	axis->name = name;
	axis->is_part = name != NULL && strcmp(name, "part") == 0;
	if (name == NULL || (node->type != YAML_SEQUENCE_NODE && node->type != YAML_MAPPING_NODE))
		return bad(sweep, node, error, "expected a list of values, or alternatives");
	const yaml_node_t *list =
		node->type == YAML_SEQUENCE_NODE ? node : find_value(&sweep->spec, node, "values");
	const yaml_node_t *paths = node->type == YAML_MAPPING_NODE ? find_value(&sweep->spec, node, "set") : NULL;
	const bool alternatives = list == NULL || (node->type == YAML_MAPPING_NODE && paths == NULL);
	if (!alternatives &&
	    (list->type != YAML_SEQUENCE_NODE || (paths != NULL && paths->type != YAML_SEQUENCE_NODE)))
		return bad(sweep, node, error, "expected lists for set and values");
	const size_t count = alternatives ? pair_count(node) : item_count(list);
	if (count == 0 || count > SWEEP_MAX_VALUES)
		return too_many(sweep, node, error, count, "values", SWEEP_MAX_VALUES);
	axis->values = calloc(count, sizeof *axis->values);
	if (axis->values == NULL)
		return error_no_memory(error, sweep->path);
	return alternatives ? read_alternatives(sweep, axis, node, error)
	                    : read_list(sweep, axis, list, paths, error);
}

static ai8x_status read_axes(ai8x_sweep *sweep, const yaml_node_t *root, ai8x_error *error)
{
	const yaml_node_t *parameters = find_value(&sweep->spec, root, "parameters");
	ai8x_status status = AI8X_OK;
	if (parameters == NULL || parameters->type != YAML_MAPPING_NODE || pair_count(parameters) == 0)
		return bad(sweep, parameters != NULL ? parameters : root, error, "no parameters to vary");
	for (size_t i = 0; i < pair_count(parameters) && status == AI8X_OK; i++)
		status = read_axis(sweep, &parameters->data.mapping.pairs.start[i], error);
	sweep->point_count = 1;
	for (size_t i = 0; i < sweep->axis_count && status == AI8X_OK; i++) {
		sweep->point_count *= sweep->axes[i].count;
		if (sweep->point_count > AI8X_SWEEP_MAX_POINTS)
			status = error_set(error, AI8X_ERR_LIMIT, "%s: more than %u points", sweep->path,
			                   AI8X_SWEEP_MAX_POINTS);
	}
	return status;
}

// pareto: [seconds, parameters], or [less seconds, more macs].
static ai8x_status read_objectives(ai8x_sweep *sweep, const yaml_node_t *root, ai8x_error *error)
{
	static const char *const defaults[] = {"seconds", "parameters"};
	const yaml_node_t *pareto = find_value(&sweep->spec, root, "pareto");
	if (pareto != NULL && (pareto->type != YAML_SEQUENCE_NODE || item_count(pareto) != 2))
		return bad(sweep, pareto, error, "expected two measures");
	for (size_t i = 0; i < 2; i++) {
		const yaml_node_t *node =
			pareto != NULL ? node_at(&sweep->spec, pareto->data.sequence.items.start[i]) : NULL;
		const char *text = node != NULL ? scalar(node) : defaults[i];
		const bool less = text != NULL && strncmp(text, "less ", 5) == 0;
		const bool more = text != NULL && strncmp(text, "more ", 5) == 0;
		const struct sweep_measure *measure = sweep_measures();
		while (text != NULL && measure->key != NULL &&
		       strcmp(measure->key, text + (less || more ? 5 : 0)) != 0)
			measure++;
		if (text == NULL || measure->key == NULL)
			return bad(
				sweep, node != NULL ? node : root, error,
				"expected [less|more] seconds, cycles, joules, macs, parameters, weight_bytes, kernel_words "
				"or data_words");
		sweep->objective[i] = measure;
		sweep->more[i] = more || (measure->more_is_better && !less);
	}
	return AI8X_OK;
}

static ai8x_status check_keys(const ai8x_sweep *sweep, const yaml_node_t *root, ai8x_error *error)
{
	static const char *const known[] = {"network", "parameters", "pareto"};
	for (size_t i = 0; i < pair_count(root); i++) {
		const yaml_node_t *key = node_at(&sweep->spec, root->data.mapping.pairs.start[i].key);
		const char *name = scalar(key);
		bool found = false;
		for (size_t k = 0; k < sizeof known / sizeof known[0]; k++)
			found = found || (name != NULL && strcmp(name, known[k]) == 0);
		if (!found)
			return error_set(error, AI8X_ERR_FORMAT,
			                 "%s:%zu: unknown key '%.60s'; expected network, parameters, pareto", sweep->path,
			                 key->start_mark.line + 1, name != NULL ? name : "?");
	}
	return AI8X_OK;
}

// A misspelt key would make every point fail for the same reason.
static ai8x_status check_spelling(const ai8x_sweep *sweep, ai8x_error *error)
{
	for (size_t a = 0; a < sweep->axis_count; a++) {
		const struct axis *axis = &sweep->axes[a];
		for (size_t v = 0; v < axis->count && !axis->is_part; v++) {
			for (size_t i = 0; i < axis->values[v].count; i++) {
				const struct setting *setting = &axis->values[v].settings[i];
				const char *dot = strrchr(setting->path, '.'), *nearest = NULL;
				const char *key = dot != NULL ? dot + 1 : setting->path;
				if (!network_has_key(key, dot != NULL, &nearest))
					return error_set(error, AI8X_ERR_FORMAT,
					                 "%s:%zu: unknown key '%.60s' in '%.60s'; did you mean '%s'?",
					                 sweep->path, node_at(&sweep->spec, setting->node)->start_mark.line + 1,
					                 key, setting->path, nearest);
			}
		}
	}
	return AI8X_OK;
}

// --- Replacing values --------------------------------------------------------------------------------

// Copies a scalar or list between documents; 0 when it is neither, or out of memory.
static int copy_node(const yaml_document_t *from, int id, yaml_document_t *to)
{
	const yaml_node_t *node = node_at(from, id);
	if (node->type == YAML_SCALAR_NODE)
		return yaml_document_add_scalar(to, NULL, node->data.scalar.value, (int)node->data.scalar.length,
		                                node->data.scalar.style);
	if (node->type != YAML_SEQUENCE_NODE)
		return 0;
	const int list = yaml_document_add_sequence(to, NULL, YAML_FLOW_SEQUENCE_STYLE);
	for (size_t i = 0; list != 0 && i < item_count(node); i++) {
		const int item_id = node->data.sequence.items.start[i];
		const int item = node_at(from, item_id)->type == YAML_SCALAR_NODE ? copy_node(from, item_id, to) : 0;
		if (item == 0 || !yaml_document_append_sequence_item(to, list, item))
			return 0;
	}
	return list;
}

// Node numbers, not pointers: adding nodes moves them.
static bool set_key(yaml_document_t *network, int mapping, const char *key, int value)
{
	yaml_node_pair_t *pair = find_pair(network, node_at(network, mapping), key);
	if (pair != NULL) {
		pair->value = value;
		return true;
	}
	const int name =
		yaml_document_add_scalar(network, NULL, (const yaml_char_t *)key, -1, YAML_PLAIN_SCALAR_STYLE);
	return name != 0 && yaml_document_append_mapping_pair(network, mapping, name, value);
}

static bool has_weights(const yaml_document_t *network, const yaml_node_t *layer)
{
	static const char *const keys[] = {"operation", "op", "operator"};
	const char *operation = NULL;
	for (size_t i = 0; i < sizeof keys / sizeof keys[0] && operation == NULL; i++)
		operation = scalar(find_value(network, layer, keys[i]));
	return operation == NULL ||
	       (strcasecmp(operation, "none") != 0 && strcasecmp(operation, "passthrough") != 0);
}

static bool is_layer(const yaml_document_t *network, const yaml_node_t *layer, size_t position,
                     const char *path, size_t length)
{
	char number[24];
	const char *name = scalar(find_value(network, layer, "name"));
	(void)snprintf(number, sizeof number, "%zu", position);
	return (strlen(number) == length && strncmp(number, path, length) == 0) ||
	       (name != NULL && strlen(name) == length && strncmp(name, path, length) == 0);
}

// Sets LAYER.KEY, *.KEY (all layers with weights) or KEY. False: there is no such layer, or out of memory.
static bool apply(yaml_document_t *network, const char *path, int value)
{
	const char *dot = strrchr(path, '.');
	const int root = 1;
	if (dot == NULL)
		return set_key(network, root, path, value);
	const yaml_node_pair_t *pair = find_pair(network, node_at(network, root), "layers");
	if (pair == NULL || node_at(network, pair->value)->type != YAML_SEQUENCE_NODE)
		return false;
	const int layers = pair->value;
	const bool all = dot == path + 1 && path[0] == '*';
	bool found = false;
	for (size_t i = 0; i < item_count(node_at(network, layers)); i++) {
		const int id = node_at(network, layers)->data.sequence.items.start[i];
		const yaml_node_t *layer = node_at(network, id);
		if (layer->type != YAML_MAPPING_NODE)
			continue;
		if (all ? has_weights(network, layer) : is_layer(network, layer, i, path, (size_t)(dot - path))) {
			if (!set_key(network, id, dot + 1, value))
				return false;
			found = true;
		}
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

// Writes and deletes the document.
static ai8x_status dump(yaml_document_t *network, struct text_buffer *buffer, ai8x_error *error)
{
	yaml_emitter_t emitter;
	if (!yaml_emitter_initialize(&emitter)) {
		yaml_document_delete(network);
		return error_no_memory(error, "a description");
	}
	yaml_emitter_set_output(&emitter, append, buffer);
	yaml_emitter_set_width(&emitter, -1);
	const bool ok =
		yaml_emitter_open(&emitter) && yaml_emitter_dump(&emitter, network) && yaml_emitter_close(&emitter);
	yaml_emitter_delete(&emitter);
	return ok ? AI8X_OK : error_no_memory(error, "a description");
}

size_t sweep_position(const ai8x_sweep *sweep, size_t point, size_t axis)
{
	for (size_t a = sweep->axis_count - 1; a > axis; a--)
		point /= sweep->axes[a].count;
	return point % sweep->axes[axis].count;
}

ai8x_status sweep_describe(const ai8x_sweep *sweep, size_t point, char **text, size_t *size,
                           ai8x_error *error)
{
	yaml_document_t network;
	*text = NULL;
	ai8x_status status =
		load_document(sweep->network_path, sweep->network_text, sweep->network_size, &network, error);
	if (status != AI8X_OK)
		return status;
	for (size_t a = 0; a < sweep->axis_count && status == AI8X_OK; a++) {
		const struct axis *axis = &sweep->axes[a];
		const struct axis_value *value = &axis->values[sweep_position(sweep, point, a)];
		for (size_t i = 0; i < value->count && !axis->is_part && status == AI8X_OK; i++) {
			const struct setting *setting = &value->settings[i];
			const int copy = copy_node(&sweep->spec, setting->node, &network);
			const yaml_node_type_t type = node_at(&sweep->spec, setting->node)->type;
			if (copy == 0 && type == YAML_SCALAR_NODE)
				status = error_no_memory(error, "a description");
			else if (copy == 0)
				status = bad(sweep, node_at(&sweep->spec, setting->node), error,
				             "expected a value, or a list of them");
			else if (!apply(&network, setting->path, copy))
				status = error_set(error, AI8X_ERR_FORMAT, "%s:%zu: %s has no layer for '%s'", sweep->path,
				                   node_at(&sweep->spec, setting->node)->start_mark.line + 1,
				                   sweep->network_path, setting->path);
		}
	}
	if (status != AI8X_OK) {
		yaml_document_delete(&network);
		return status;
	}
	struct text_buffer buffer = {0};
	status = dump(&network, &buffer, error);
	if (status != AI8X_OK) {
		free(buffer.bytes);
		return status;
	}
	*text = buffer.bytes;
	*size = buffer.size;
	return AI8X_OK;
}

// --- All ---------------------------------------------------------------------------------------------

// The network's path is relative to the specification's folder.
static ai8x_status read_network(ai8x_sweep *sweep, const yaml_node_t *root, ai8x_error *error)
{
	const yaml_node_t *node = find_value(&sweep->spec, root, "network");
	const char *path = scalar(node);
	if (path == NULL || path[0] == '\0')
		return bad(sweep, root, error, "no network");
	const char *slash = strrchr(sweep->path, '/');
	const int folder = path[0] == '/' || slash == NULL ? 0 : (int)(slash - sweep->path) + 1;
	if (asprintf(&sweep->network_path, "%.*s%s", folder, sweep->path, path) < 0) {
		sweep->network_path = NULL;
		return error_no_memory(error, path);
	}
	const char *base = strrchr(sweep->network_path, '/');
	sweep->name = strdup(base != NULL ? base + 1 : sweep->network_path);
	if (sweep->name == NULL)
		return error_no_memory(error, path);
	char *suffix = strrchr(sweep->name, '.');
	if (suffix != NULL && suffix != sweep->name)
		*suffix = '\0';
	return read_text(sweep->network_path, &sweep->network_text, &sweep->network_size, error);
}

// Every value of every axis once, so that mistakes show before thousands of points fail.
static ai8x_status check_settings(const ai8x_sweep *sweep, ai8x_error *error)
{
	ai8x_status status = AI8X_OK;
	size_t step = sweep->point_count;
	for (size_t a = 0; a < sweep->axis_count; a++) {
		step /= sweep->axes[a].count;
		for (size_t i = 0; i < sweep->axes[a].count && status == AI8X_OK; i++) {
			char *text;
			size_t size;
			const struct axis_value *value = &sweep->axes[a].values[i];
			if (sweep->axes[a].is_part && ai8x_part_find(value->label) == NULL)
				return error_set(error, AI8X_ERR_FORMAT, "%s: no part '%s'", sweep->path, value->label);
			status = sweep_describe(sweep, i * step, &text, &size, error);
			free(text);
		}
	}
	return status;
}

// What the description alone says. Where that is no network, the parameters may make it one.
static void open_model(ai8x_sweep *sweep, const uint32_t *input_shape)
{
	ai8x_error ignored = {AI8X_OK, ""};
	if (input_shape != NULL)
		memcpy(sweep->shape, input_shape, sizeof sweep->shape);
	const ai8x_network_files files = {.input_shape = input_shape};
	(void)ai8x_network_open(sweep->network_path, &files, &sweep->model, &ignored);
}

ai8x_status ai8x_sweep_open(const char *path, const uint32_t *input_shape, ai8x_sweep **out,
                            ai8x_error *error)
{
	if (out != NULL)
		*out = NULL;
	if (path == NULL || out == NULL)
		return error_null(error, path == NULL ? "path" : "sweep");
	char *text = NULL;
	size_t size = 0;
	ai8x_sweep *sweep = calloc(1, sizeof *sweep);
	if (sweep == NULL || (sweep->path = strdup(path)) == NULL) {
		ai8x_sweep_destroy(sweep);
		return error_no_memory(error, path);
	}
	ai8x_status status = read_text(path, &text, &size, error);
	if (status == AI8X_OK)
		status = load_document(path, text, size, &sweep->spec, error);
	sweep->spec_loaded = status == AI8X_OK;
	yaml_node_t *root = sweep->spec_loaded ? yaml_document_get_root_node(&sweep->spec) : NULL;
	if (status == AI8X_OK)
		status = check_keys(sweep, root, error);
	if (status == AI8X_OK)
		status = read_network(sweep, root, error);
	if (status == AI8X_OK)
		open_model(sweep, input_shape);
	if (status == AI8X_OK)
		status = read_axes(sweep, root, error);
	if (status == AI8X_OK)
		status = read_objectives(sweep, root, error);
	if (status == AI8X_OK)
		status = check_spelling(sweep, error);
	if (status == AI8X_OK)
		status = check_settings(sweep, error);
	if (status == AI8X_OK) {
		sweep->points = calloc(sweep->point_count, sizeof *sweep->points);
		sweep->identity =
			hash_bytes(hash_bytes(HASH_START, text, size), sweep->network_text, sweep->network_size);
		sweep->identity = hash_bytes(sweep->identity, sweep->shape, sizeof sweep->shape);
		if (sweep->points == NULL)
			status = error_no_memory(error, path);
	}
	free(text);
	if (status != AI8X_OK) {
		ai8x_sweep_destroy(sweep);
		return status;
	}
	*out = sweep;
	return AI8X_OK;
}

void ai8x_sweep_destroy(ai8x_sweep *sweep)
{
	if (sweep == NULL || sweep->running)
		return;
	for (size_t a = 0; a < sweep->axis_count; a++) {
		for (size_t i = 0; i < sweep->axes[a].count; i++)
			free(sweep->axes[a].values[i].settings);
		free(sweep->axes[a].values);
	}
	if (sweep->spec_loaded)
		yaml_document_delete(&sweep->spec);
	free(sweep->path);
	free(sweep->network_path);
	free(sweep->name);
	free(sweep->network_text);
	free(sweep->points);
	ai8x_network_destroy(sweep->model);
	free(sweep);
}
