// What is misspelt in a specification of a sweep, or said twice: it would make points fail one by one, or mean
// something else, without a word. Values are tried in descriptions of one layer: what no kind of layer can have is a
// mistake; what only this network or the part cannot have is a result.
#include "sweep/spec.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ai8xsim/part.h>

#include "base/error.h"
#include "network/network.h"
#include "network/read_yaml.h"
#include "sweep/document.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static ai8x_status fail(const ai8x_sweep *sweep, const yaml_node_t *node, ai8x_error *error,
                        const char *format, ...) __attribute__((format(printf, 4, 5)));

static ai8x_status fail(const ai8x_sweep *sweep, const yaml_node_t *node, ai8x_error *error,
                        const char *format, ...)
{
	char text[AI8X_MESSAGE_SIZE];
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	return error_set(error, AI8X_ERR_FORMAT, "%s:%zu: %s", sweep->path, node->start_mark.line + 1, text);
}

// "; did you mean 'WORD'?", or nothing.
struct suggestion {
	char text[80];
	size_t best;
};

static void suggest(struct suggestion *suggestion, const char *word, const char *meant)
{
	size_t best = suggestion->text[0] == '\0' ? SIZE_MAX : suggestion->best;
	if (!network_may_mean(word, meant, &best))
		return;
	suggestion->best = best;
	(void)snprintf(suggestion->text, sizeof suggestion->text, "; did you mean '%.40s'?", meant);
}

// --- The specification's own words ---------------------------------------------------------------------

ai8x_status sweep_check_keys(const ai8x_sweep *sweep, ai8x_error *error)
{
	static const char *const known[] = {"network", "parameters", "pareto"};
	const yaml_node_t *root = document_node(&sweep->spec, 1);
	bool seen[COUNT(known)] = {false};
	for (size_t i = 0; i < document_pairs(root); i++) {
		const yaml_node_t *key = document_node(&sweep->spec, root->data.mapping.pairs.start[i].key);
		const char *name = document_scalar(key);
		struct suggestion suggestion = {0};
		size_t k = 0;
		while (name != NULL && k < COUNT(known) && strcmp(name, known[k]) != 0)
			suggest(&suggestion, name, known[k++]);
		if (name == NULL || k == COUNT(known))
			return fail(sweep, key, error, "unknown key '%.60s'; expected network, parameters, pareto%s",
			            name != NULL ? name : "?", suggestion.text);
		if (seen[k])
			return fail(sweep, key, error, "the key '%s' is given twice", name);
		seen[k] = true;
	}
	return AI8X_OK;
}

ai8x_status sweep_bad_alternative(const ai8x_sweep *sweep, const yaml_node_t *key, ai8x_error *error)
{
	struct suggestion suggestion = {0};
	const char *name = document_scalar(key);
	if (name != NULL && strcmp(name, "set") != 0 && strcmp(name, "values") != 0) {
		suggest(&suggestion, name, "set");
		suggest(&suggestion, name, "values");
	}
	return fail(sweep, key, error, "'%.60s': expected LAYER.KEY: VALUE, or the keys set and values%s",
	            name != NULL ? name : "?", suggestion.text);
}

ai8x_status sweep_bad_measure(const ai8x_sweep *sweep, const yaml_node_t *node, const char *word,
                              ai8x_error *error)
{
	struct suggestion suggestion = {0};
	const char *space = word != NULL ? strchr(word, ' ') : NULL;
	const char *name = space != NULL ? space + 1 : word;
	for (const struct sweep_measure *measure = sweep_measures(); name != NULL && measure->key != NULL;
	     measure++)
		suggest(&suggestion, name, measure->key);
	if (space != NULL && strncmp(word, "less ", 5) != 0 && strncmp(word, "more ", 5) != 0)
		(void)snprintf(suggestion.text, sizeof suggestion.text, "; the first word is less or more");
	return fail(
		sweep, node, error,
		"expected [less|more] seconds, cycles, joules, macs, parameters, weight_bytes, kernel_words or "
		"data_words, found '%.60s'%s",
		word != NULL ? word : "a list", suggestion.text);
}

// --- Said twice ----------------------------------------------------------------------------------------

static ai8x_status check_values_twice(const ai8x_sweep *sweep, const struct axis *axis, ai8x_error *error)
{
	for (size_t i = 0; i < axis->count; i++)
		for (size_t k = 0; k < i; k++) {
			// Labels of long lists are cut off.
			if (strlen(axis->values[i].label) + 1 < SWEEP_LABEL &&
			    strcmp(axis->values[i].label, axis->values[k].label) == 0)
				return fail(sweep, axis->node, error, "parameter '%.60s' has the value '%s' twice",
				            axis->name, axis->values[i].label);
		}
	return AI8X_OK;
}

static ai8x_status check_paths_twice(const ai8x_sweep *sweep, const struct axis *axis,
                                     const struct axis *other, ai8x_error *error)
{
	const struct axis_value *value = &axis->values[0], *earlier = &other->values[0];
	for (size_t i = 0; i < value->count && !axis->is_part && !other->is_part; i++)
		for (size_t k = 0; k < earlier->count; k++)
			if (strcmp(value->settings[i].path, earlier->settings[k].path) == 0)
				return fail(sweep, axis->node, error, "'%.60s' is set by two parameters",
				            value->settings[i].path);
	return AI8X_OK;
}

// --- Layers and keys -----------------------------------------------------------------------------------

static ai8x_status check_key(const ai8x_sweep *sweep, const struct setting *setting, const char *dot,
                             ai8x_error *error)
{
	const yaml_node_t *node = document_node(&sweep->spec, setting->node);
	const char *key = dot != NULL ? dot + 1 : setting->path, *nearest = NULL, *of_layer = NULL;
	struct suggestion suggestion = {0};
	if (network_has_key(key, dot != NULL, &nearest))
		return AI8X_OK;
	if (dot == NULL && network_has_key(key, true, &of_layer))
		return fail(
			sweep, node, error,
			"'%.60s' is a key of layers: write LAYER.%.60s, or \"*.%.60s\" for all layers with weights", key,
			key, key);
	suggest(&suggestion, key, nearest);
	if (of_layer != NULL)
		suggest(&suggestion, key, of_layer);
	return fail(sweep, node, error, "unknown key '%.60s' in '%.60s'%s", key, setting->path, suggestion.text);
}

static ai8x_status check_layer(const ai8x_sweep *sweep, const struct setting *setting, const char *dot,
                               const yaml_document_t *network, ai8x_error *error)
{
	char word[64];
	struct suggestion suggestion = {0};
	const yaml_node_t *layer = NULL;
	size_t count = 0;
	(void)snprintf(word, sizeof word, "%.*s", (int)(dot - setting->path), setting->path);
	for (; (layer = document_layer(network, count)) != NULL; count++) {
		const char *name =
			layer->type == YAML_MAPPING_NODE ? document_scalar(document_find(network, layer, "name")) : NULL;
		if (name != NULL)
			suggest(&suggestion, word, name);
	}
	return fail(sweep, document_node(&sweep->spec, setting->node), error,
	            "%s has no layer for '%.60s'%s (layers are named, or counted from 0 to %zu)",
	            sweep->network_path, setting->path, suggestion.text, count > 0 ? count - 1 : 0);
}

// --- Values --------------------------------------------------------------------------------------------

// Keys whose values name other layers: tried in the network itself.
static bool names_layers(const char *key)
{
	static const char *const keys[] = {"in_sequences", "weight_source", "next_sequence", "simulated_sequence",
	                                   "snoop_sequence"};
	for (size_t i = 0; i < COUNT(keys); i++)
		if (strcmp(key, keys[i]) == 0)
			return true;
	return false;
}

// Reads a document with a value put in its place, and deletes it. What cannot be put there is told elsewhere.
static ai8x_status try_document(const ai8x_sweep *sweep, const char *path, int node,
                                yaml_document_t *document, ai8x_error *error)
{
	char *text = NULL;
	size_t size = 0;
	ai8x_network *network = NULL;
	const int copy = document_copy(&sweep->spec, node, document);
	if (copy == 0 || !document_set(document, path, copy)) {
		yaml_document_delete(document);
		return AI8X_OK;
	}
	ai8x_status status = document_dump(document, &text, &size, error);
	if (status == AI8X_OK)
		status = network_read_yaml(text, size, NULL, NULL, &network, error);
	ai8x_network_destroy(network);
	free(text);
	return status;
}

// In a layer of some kind; key as the specification spells it.
static ai8x_status try_in_layer(const ai8x_sweep *sweep, const struct setting *setting, const char *key,
                                const char *kind, ai8x_error *error)
{
	char text[128], path[64];
	yaml_document_t document;
	(void)snprintf(text, sizeof text, "layers: [{%s}]", kind);
	(void)snprintf(path, sizeof path, "0.%s", key);
	ai8x_status status = document_load("value", text, strlen(text), &document, error);
	return status == AI8X_OK ? try_document(sweep, path, setting->node, &document, error) : status;
}

static ai8x_status try_in_network(const ai8x_sweep *sweep, const struct setting *setting, ai8x_error *error)
{
	yaml_document_t document;
	ai8x_status status =
		document_load(sweep->network_path, sweep->network_text, sweep->network_size, &document, error);
	return status == AI8X_OK ? try_document(sweep, setting->path, setting->node, &document, error) : status;
}

static ai8x_status check_value(const ai8x_sweep *sweep, const struct setting *setting, const char *key,
                               bool of_layer, ai8x_error *error)
{
	static const char *const kinds[] = {
		"name: a",
		"op: conv1d",
		"op: convtranspose2d",
		"op: passthrough",
		"op: passthrough, eltwise: add, max_pool: 2, pool_stride: 2",
		"eltwise: add, avg_pool: 2, pool_stride: 2",
	};
	ai8x_error first = {AI8X_OK, ""}, reason = {AI8X_OK, ""};
	char words[64];
	ai8x_status status;
	if (!of_layer || names_layers(key)) {
		status = try_in_network(sweep, setting, &first);
	} else {
		status = try_in_layer(sweep, setting, key, kinds[0], &first);
		for (size_t i = 1; i < COUNT(kinds) && status == AI8X_ERR_FORMAT; i++)
			status = try_in_layer(sweep, setting, key, kinds[i], &reason);
	}
	if (status == AI8X_ERR_NO_MEMORY)
		return error_no_memory(error, sweep->path);
	// Other keys may be wrong as well as long as the network lacks what parameters give.
	(void)snprintf(words, sizeof words, "key '%.40s", key);
	const char *about = status == AI8X_ERR_FORMAT ? strstr(first.message, words) : NULL;
	return about == NULL ? AI8X_OK
	                     : fail(sweep, document_node(&sweep->spec, setting->node), error, "%s", about);
}

static ai8x_status check_setting(const ai8x_sweep *sweep, const struct setting *setting,
                                 const yaml_document_t *network, ai8x_error *error)
{
	const char *dot = strrchr(setting->path, '.');
	ai8x_status status = check_key(sweep, setting, dot, error);
	if (status == AI8X_OK && dot != NULL && !document_has_layer(network, setting->path))
		status = check_layer(sweep, setting, dot, network, error);
	const yaml_node_t *node = document_node(&sweep->spec, setting->node);
	if (status == AI8X_OK && (node->type == YAML_SCALAR_NODE || node->type == YAML_SEQUENCE_NODE))
		status = check_value(sweep, setting, dot != NULL ? dot + 1 : setting->path, dot != NULL, error);
	return status;
}

static ai8x_status check_part(const ai8x_sweep *sweep, const struct axis *axis, ai8x_error *error)
{
	for (size_t v = 0; v < axis->count; v++) {
		struct suggestion suggestion = {0};
		if (ai8x_part_find(axis->values[v].label) != NULL)
			continue;
		suggest(&suggestion, axis->values[v].label, "MAX78000");
		suggest(&suggestion, axis->values[v].label, "MAX78002");
		return fail(sweep, axis->node, error, "no part '%s'; expected MAX78000 or MAX78002%s",
		            axis->values[v].label, suggestion.text);
	}
	return AI8X_OK;
}

static ai8x_status check_axis(const ai8x_sweep *sweep, const struct axis *axis,
                              const yaml_document_t *network, ai8x_error *error)
{
	ai8x_status status = axis->is_part ? check_part(sweep, axis, error) : AI8X_OK;
	for (size_t v = 0; v < axis->count && !axis->is_part; v++)
		for (size_t i = 0; i < axis->values[v].count && status == AI8X_OK; i++)
			status = check_setting(sweep, &axis->values[v].settings[i], network, error);
	if (status == AI8X_OK)
		status = check_values_twice(sweep, axis, error);
	for (const struct axis *other = sweep->axes; other < axis && status == AI8X_OK; other++)
		status = check_paths_twice(sweep, axis, other, error);
	return status;
}

ai8x_status sweep_check_spelling(const ai8x_sweep *sweep, ai8x_error *error)
{
	yaml_document_t network;
	ai8x_status status =
		document_load(sweep->network_path, sweep->network_text, sweep->network_size, &network, error);
	if (status != AI8X_OK)
		return status;
	for (size_t a = 0; a < sweep->axis_count && status == AI8X_OK; a++)
		status = check_axis(sweep, &sweep->axes[a], &network, error);
	yaml_document_delete(&network);
	return status;
}
