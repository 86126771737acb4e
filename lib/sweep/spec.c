// Specifications of sweeps (docs/sweep.md): which network, which of its keys, which values. A point of the grid is
// the network's own YAML document with some values replaced, so that whatever a description can say can be varied.
#include "sweep/spec.h"

#include <stdlib.h>
#include <string.h>

#include <ai8xsim/part.h>

#include "base/error.h"
#include "base/hash.h"
#include "sweep/document.h"

// A value as people read it: scalars, and lists of scalars.
static void make_label(const yaml_document_t *document, int id, char label[SWEEP_LABEL])
{
	const yaml_node_t *node = document_node(document, id);
	const char *text = document_scalar(node);
	size_t used = 0;
	label[0] = '\0';
	if (text != NULL)
		(void)snprintf(label, SWEEP_LABEL, "%s", text);
	else if (node->type == YAML_SEQUENCE_NODE) {
		for (size_t i = 0; i < document_items(node) && used < SWEEP_LABEL; i++) {
			text = document_scalar(document_node(document, node->data.sequence.items.start[i]));
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
	const size_t count = paths != NULL ? document_items(paths) : 1;
	ai8x_status status = AI8X_OK;
	for (size_t i = 0; i < document_items(list) && status == AI8X_OK; i++) {
		const int id = list->data.sequence.items.start[i];
		struct axis_value *value = add_value(sweep, axis, count, error);
		if (value == NULL)
			return AI8X_ERR_NO_MEMORY;
		for (size_t k = 0; k < count && status == AI8X_OK; k++) {
			const yaml_node_t *path =
				paths != NULL ? document_node(&sweep->spec, paths->data.sequence.items.start[k]) : list;
			value->settings[k].node = id;
			value->settings[k].path = paths != NULL ? document_scalar(path) : axis->name;
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
	for (size_t i = 0; i < document_pairs(node) && status == AI8X_OK; i++) {
		const yaml_node_pair_t *pair = &node->data.mapping.pairs.start[i];
		const yaml_node_t *settings = document_node(&sweep->spec, pair->value);
		if (settings->type != YAML_MAPPING_NODE)
			return sweep_bad_alternative(sweep, document_node(&sweep->spec, pair->key), error);
		if (document_pairs(settings) > SWEEP_MAX_SETTINGS)
			return too_many(sweep, settings, error, document_pairs(settings), "keys", SWEEP_MAX_SETTINGS);
		struct axis_value *value = add_value(sweep, axis, document_pairs(settings), error);
		if (value == NULL)
			return AI8X_ERR_NO_MEMORY;
		for (size_t k = 0; k < document_pairs(settings) && status == AI8X_OK; k++) {
			const yaml_node_pair_t *setting = &settings->data.mapping.pairs.start[k];
			value->settings[k].path = document_scalar(document_node(&sweep->spec, setting->key));
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
	const yaml_node_t *node = document_node(&sweep->spec, pair->value);
	const char *name = document_scalar(document_node(&sweep->spec, pair->key));
	if (sweep->axis_count == AI8X_SWEEP_MAX_AXES)
		return too_many(sweep, node, error, sweep->axis_count + 1, "parameters", AI8X_SWEEP_MAX_AXES);
	struct axis *axis = &sweep->axes[sweep->axis_count++];
	axis->name = name;
	axis->node = node;
	axis->is_part = name != NULL && strcmp(name, "part") == 0;
	if (name == NULL || (node->type != YAML_SEQUENCE_NODE && node->type != YAML_MAPPING_NODE))
		return bad(sweep, node, error, "expected a list of values, or alternatives");
	const yaml_node_t *list =
		node->type == YAML_SEQUENCE_NODE ? node : document_find(&sweep->spec, node, "values");
	const yaml_node_t *paths =
		node->type == YAML_MAPPING_NODE ? document_find(&sweep->spec, node, "set") : NULL;
	const bool alternatives = list == NULL || (node->type == YAML_MAPPING_NODE && paths == NULL);
	if (!alternatives &&
	    (list->type != YAML_SEQUENCE_NODE || (paths != NULL && paths->type != YAML_SEQUENCE_NODE)))
		return bad(sweep, node, error, "expected lists for set and values");
	if (!alternatives && node->type == YAML_MAPPING_NODE && document_pairs(node) > 2)
		return bad(sweep, node, error, "expected the keys set and values, and no others");
	if (!alternatives && paths != NULL &&
	    (document_items(paths) == 0 || document_items(paths) > SWEEP_MAX_SETTINGS))
		return too_many(sweep, paths, error, document_items(paths), "keys", SWEEP_MAX_SETTINGS);
	const size_t count = alternatives ? document_pairs(node) : document_items(list);
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
	const yaml_node_t *parameters = document_find(&sweep->spec, root, "parameters");
	ai8x_status status = AI8X_OK;
	if (parameters == NULL || parameters->type != YAML_MAPPING_NODE || document_pairs(parameters) == 0)
		return bad(sweep, parameters != NULL ? parameters : root, error, "no parameters to vary");
	for (size_t i = 0; i < document_pairs(parameters) && status == AI8X_OK; i++)
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
	const yaml_node_t *pareto = document_find(&sweep->spec, root, "pareto");
	if (pareto != NULL && (pareto->type != YAML_SEQUENCE_NODE || document_items(pareto) != 2))
		return bad(sweep, pareto, error, "expected two measures");
	for (size_t i = 0; i < 2; i++) {
		const yaml_node_t *node =
			pareto != NULL ? document_node(&sweep->spec, pareto->data.sequence.items.start[i]) : NULL;
		const char *text = node != NULL ? document_scalar(node) : defaults[i];
		const bool less = text != NULL && strncmp(text, "less ", 5) == 0;
		const bool more = text != NULL && strncmp(text, "more ", 5) == 0;
		const struct sweep_measure *measure = sweep_measures();
		while (text != NULL && measure->key != NULL &&
		       strcmp(measure->key, text + (less || more ? 5 : 0)) != 0)
			measure++;
		if (text == NULL || measure->key == NULL)
			return sweep_bad_measure(sweep, node != NULL ? node : root, text, error);
		sweep->objective[i] = measure;
		sweep->more[i] = more || (measure->more_is_better && !less);
	}
	if (sweep->objective[0] == sweep->objective[1])
		return bad(sweep, pareto, error, "expected two different measures");
	return AI8X_OK;
}

size_t sweep_position(const ai8x_sweep *sweep, size_t point, size_t axis)
{
	for (size_t a = sweep->axis_count - 1; a > axis; a--)
		point /= sweep->axes[a].count;
	return point % sweep->axes[axis].count;
}

static ai8x_status set(const ai8x_sweep *sweep, const struct setting *setting, yaml_document_t *network,
                       ai8x_error *error)
{
	const yaml_node_t *node = document_node(&sweep->spec, setting->node);
	const int copy = document_copy(&sweep->spec, setting->node, network);
	if (copy == 0 && node->type == YAML_SCALAR_NODE)
		return error_no_memory(error, "a description");
	if (copy == 0)
		return bad(sweep, node, error, "expected a value, or a list of them");
	if (!document_set(network, setting->path, copy))
		return error_set(error, AI8X_ERR_FORMAT, "%s:%zu: %s has no layer for '%s'", sweep->path,
		                 node->start_mark.line + 1, sweep->network_path, setting->path);
	return AI8X_OK;
}

ai8x_status sweep_describe(const ai8x_sweep *sweep, size_t point, char **text, size_t *size,
                           ai8x_error *error)
{
	yaml_document_t network;
	*text = NULL;
	ai8x_status status =
		document_load(sweep->network_path, sweep->network_text, sweep->network_size, &network, error);
	if (status != AI8X_OK)
		return status;
	for (size_t a = 0; a < sweep->axis_count && status == AI8X_OK; a++) {
		const struct axis *axis = &sweep->axes[a];
		const struct axis_value *value = &axis->values[sweep_position(sweep, point, a)];
		for (size_t i = 0; i < value->count && !axis->is_part && status == AI8X_OK; i++)
			status = set(sweep, &value->settings[i], &network, error);
	}
	if (status != AI8X_OK) {
		yaml_document_delete(&network);
		return status;
	}
	return document_dump(&network, text, size, error);
}

// --- All ---------------------------------------------------------------------------------------------

// The network's path is relative to the specification's folder.
static ai8x_status read_network(ai8x_sweep *sweep, const yaml_node_t *root, ai8x_error *error)
{
	const yaml_node_t *node = document_find(&sweep->spec, root, "network");
	const char *path = document_scalar(node);
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
	return document_read(sweep->network_path, &sweep->network_text, &sweep->network_size, error);
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

static ai8x_status make_points(ai8x_sweep *sweep, ai8x_error *error)
{
	sweep->points = calloc(sweep->point_count, sizeof *sweep->points);
	if (sweep->points == NULL)
		return error_no_memory(error, sweep->path);
	for (size_t i = 0; i < sweep->point_count; i++) {
		sweep->points[i].status = AI8X_ERR_NOT_STARTED;
		(void)snprintf(sweep->points[i].message, sizeof sweep->points[i].message,
		               "the grid was not computed");
	}
	return AI8X_OK;
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
	ai8x_status status = document_read(path, &text, &size, error);
	if (status == AI8X_OK)
		status = document_load(path, text, size, &sweep->spec, error);
	sweep->spec_loaded = status == AI8X_OK;
	yaml_node_t *root = sweep->spec_loaded ? yaml_document_get_root_node(&sweep->spec) : NULL;
	if (status == AI8X_OK)
		status = sweep_check_keys(sweep, error);
	if (status == AI8X_OK)
		status = read_network(sweep, root, error);
	if (status == AI8X_OK)
		open_model(sweep, input_shape);
	if (status == AI8X_OK)
		status = read_axes(sweep, root, error);
	if (status == AI8X_OK)
		status = read_objectives(sweep, root, error);
	if (status == AI8X_OK)
		status = sweep_check_spelling(sweep, error);
	if (status == AI8X_OK)
		status = check_settings(sweep, error);
	if (status == AI8X_OK) {
		sweep->identity =
			hash_bytes(hash_bytes(HASH_START, text, size), sweep->network_text, sweep->network_size);
		sweep->identity = hash_bytes(sweep->identity, sweep->shape, sizeof sweep->shape);
		status = make_points(sweep, error);
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
