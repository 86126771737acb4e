// Reads network descriptions: the YAML dialect of ai8x-synthesis (docs/networks.md).
//
// Receives text, hands on a network whose members are what the file said, not yet resolved. Values are
// taken from libyaml's document tree; scalars are understood as YAML 1.1 does, because that is what the files
// are written for (hexadecimal with underscores, octal with a leading zero, yes/no).

#include "network/read_yaml.h"
#include "network/network.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <yaml.h>

#include "base/file.h"
#include "network/yaml_load.h"

struct reader {
	yaml_document_t *document;
	ai8x_network *network;
	struct named_files *named; // NULL: not wanted
	const char *file;
	ai8x_error *error;
	char layer[80]; // "layer N (name): " while a layer is read
};

enum layer_key {
	KEY_ACTIVATE,
	KEY_AVG_POOL,
	KEY_BIAS_GROUP,
	KEY_BUFFER_INSERT,
	KEY_BUFFER_SHIFT,
	KEY_BYPASS,
	KEY_CALCX4,
	KEY_DATA_FORMAT,
	KEY_DILATION,
	KEY_ELTWISE,
	KEY_FLATTEN,
	KEY_GROUPS,
	KEY_IN_CHANNELS,
	KEY_IN_CHANNEL_SKIP,
	KEY_IN_CROP,
	KEY_IN_DIM,
	KEY_IN_OFFSET,
	KEY_IN_SEQUENCES,
	KEY_KERNEL_SIZE,
	KEY_MAX_POOL,
	KEY_NAME,
	KEY_NEXT_SEQUENCE,
	KEY_OPERANDS,
	KEY_OPERATION,
	KEY_OUTPUT,
	KEY_OUTPUT_PAD,
	KEY_OUTPUT_PROCESSORS,
	KEY_OUTPUT_SHIFT,
	KEY_OUTPUT_WIDTH,
	KEY_OUT_CHANNELS,
	KEY_OUT_OFFSET,
	KEY_PAD,
	KEY_POOL_DILATION,
	KEY_POOL_FIRST,
	KEY_POOL_STRIDE,
	KEY_PROCESSORS,
	KEY_QUANTIZATION,
	KEY_READAHEAD,
	KEY_READ_GAP,
	KEY_SEQUENCE,
	KEY_SIMULATED_SEQUENCE,
	KEY_SNOOP_SEQUENCE,
	KEY_STREAMING,
	KEY_STRIDE,
	KEY_TCALC,
	KEY_WEIGHT_SOURCE,
	KEY_WRITE_GAP,
	LAYER_KEYS
};

struct key_row {
	const char *name;
	int key;
};

// Every spelling of every key of a layer.
static const struct key_row layer_key_rows[] = {
	{"activate", KEY_ACTIVATE},
	{"activation", KEY_ACTIVATE},
	{"avg_pool", KEY_AVG_POOL},
	{"bias_group", KEY_BIAS_GROUP},
	{"bias_quadrant", KEY_BIAS_GROUP},
	{"buffer_insert", KEY_BUFFER_INSERT},
	{"buffer_shift", KEY_BUFFER_SHIFT},
	{"bypass", KEY_BYPASS},
	{"calcx4", KEY_CALCX4},
	{"conv_groups", KEY_GROUPS},
	{"convolution", KEY_OPERATION},
	{"data_format", KEY_DATA_FORMAT},
	{"dilation", KEY_DILATION},
	{"eltwise", KEY_ELTWISE},
	{"flatten", KEY_FLATTEN},
	{"groups", KEY_GROUPS},
	{"in_channel_skip", KEY_IN_CHANNEL_SKIP},
	{"in_channels", KEY_IN_CHANNELS},
	{"in_crop", KEY_IN_CROP},
	{"in_dim", KEY_IN_DIM},
	{"in_offset", KEY_IN_OFFSET},
	{"in_sequences", KEY_IN_SEQUENCES},
	{"in_skip", KEY_READ_GAP},
	{"kernel_size", KEY_KERNEL_SIZE},
	{"max_pool", KEY_MAX_POOL},
	{"name", KEY_NAME},
	{"next_sequence", KEY_NEXT_SEQUENCE},
	{"op", KEY_OPERATION},
	{"operands", KEY_OPERANDS},
	{"operation", KEY_OPERATION},
	{"operator", KEY_OPERATION},
	{"out_channels", KEY_OUT_CHANNELS},
	{"out_offset", KEY_OUT_OFFSET},
	{"output", KEY_OUTPUT},
	{"output_pad", KEY_OUTPUT_PAD},
	{"output_processors", KEY_OUTPUT_PROCESSORS},
	{"output_shift", KEY_OUTPUT_SHIFT},
	{"output_width", KEY_OUTPUT_WIDTH},
	{"pad", KEY_PAD},
	{"pool_dilation", KEY_POOL_DILATION},
	{"pool_first", KEY_POOL_FIRST},
	{"pool_stride", KEY_POOL_STRIDE},
	{"processors", KEY_PROCESSORS},
	{"quantization", KEY_QUANTIZATION},
	{"read_gap", KEY_READ_GAP},
	{"readahead", KEY_READAHEAD},
	{"sequence", KEY_SEQUENCE},
	{"simulated_sequence", KEY_SIMULATED_SEQUENCE},
	{"snoop_sequence", KEY_SNOOP_SEQUENCE},
	{"streaming", KEY_STREAMING},
	{"stride", KEY_STRIDE},
	{"tcalc", KEY_TCALC},
	{"weight_source", KEY_WEIGHT_SOURCE},
	{"write_gap", KEY_WRITE_GAP},
};

enum top_key {
	TOP_ARCH,
	TOP_AVG_POOL_ROUNDING,
	TOP_BIAS,
	TOP_DATASET,
	TOP_DATA_BUFFER,
	TOP_INPUT,
	TOP_LAYERS,
	TOP_OUTPUT_MAP,
	TOP_PART,
	TOP_SNOOP,
	TOP_UNLOAD,
	TOP_WEIGHTS,
	TOP_KEYS
};

static const struct key_row top_key_rows[] = {
	{"arch", TOP_ARCH},       {"avg_pool_rounding", TOP_AVG_POOL_ROUNDING},
	{"bias", TOP_BIAS},       {"data_buffer", TOP_DATA_BUFFER},
	{"dataset", TOP_DATASET}, {"input", TOP_INPUT},
	{"layers", TOP_LAYERS},   {"output_map", TOP_OUTPUT_MAP},
	{"part", TOP_PART},       {"snoop", TOP_SNOOP},
	{"unload", TOP_UNLOAD},   {"weights", TOP_WEIGHTS},
};

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

// A key of a mapping with its value; node NULL: not given.
struct entry {
	const char *name; // as spelled in the file
	yaml_node_t *node;
	size_t line;
};

static ai8x_status fail(const struct reader *reader, size_t line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static ai8x_status fail(const struct reader *reader, size_t line, const char *format, ...)
{
	char text[AI8X_MESSAGE_SIZE];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	return error_set(reader->error, AI8X_ERR_FORMAT, "%s:%zu: %s%s", reader->file, line, reader->layer, text);
}

// near: a word that may be meant, or NULL.
static ai8x_status fail_word(const struct reader *reader, const struct entry *entry, const char *expected,
                             const char *near)
{
	const yaml_node_t *node = entry->node;
	const char *found = node->type == YAML_SCALAR_NODE     ? (const char *)node->data.scalar.value
	                    : node->type == YAML_SEQUENCE_NODE ? "a list"
	                                                       : "a mapping";
	return fail(reader, entry->line, "key '%s': expected %s%s%.40s%s, found '%.60s'", entry->name, expected,
	            near != NULL ? " (did you mean '" : "", near != NULL ? near : "", near != NULL ? "'?)" : "",
	            found);
}

static ai8x_status fail_value(const struct reader *reader, const struct entry *entry, const char *expected)
{
	return fail_word(reader, entry, expected, NULL);
}

size_t network_word_distance(const char *a, const char *b)
{
	size_t row[33];
	size_t width = strlen(b);
	if (strlen(a) > 31 || width > 31)
		return SIZE_MAX;
	for (size_t j = 0; j <= width; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1] != '\0'; i++) {
		size_t diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= width; j++) {
			size_t above = row[j];
			size_t replace =
				diagonal + (tolower((unsigned char)a[i - 1]) != tolower((unsigned char)b[j - 1]));
			size_t gap = (row[j - 1] < above ? row[j - 1] : above) + 1;
			row[j] = replace < gap ? replace : gap;
			diagonal = above;
		}
	}
	return row[width];
}

bool network_may_mean(const char *word, const char *meant, size_t *best)
{
	const size_t length = strlen(word), distance = network_word_distance(word, meant);
	// Half a word may be wrong, but not all of it.
	if (distance >= *best || distance > (length < 2 ? 0 : length / 2) || distance >= strlen(meant))
		return false;
	*best = distance;
	return true;
}

static const char *nearest(const char *word, const struct key_row *rows, size_t count)
{
	size_t best = SIZE_MAX;
	const char *name = rows[0].name;
	for (size_t i = 0; i < count; i++) {
		size_t distance = network_word_distance(word, rows[i].name);
		if (distance < best) {
			best = distance;
			name = rows[i].name;
		}
	}
	return name;
}

bool network_has_key(const char *key, bool of_layer, const char **near)
{
	const struct key_row *rows = of_layer ? layer_key_rows : top_key_rows;
	const size_t count = of_layer ? ROWS(layer_key_rows) : ROWS(top_key_rows);
	*near = nearest(key, rows, count);
	return strcmp(*near, key) == 0;
}

bool network_same_key(const char *a, const char *b)
{
	int key = -1;
	if (strcmp(a, b) == 0)
		return true;
	for (size_t i = 0; i < ROWS(layer_key_rows); i++)
		key = strcmp(a, layer_key_rows[i].name) == 0 ? layer_key_rows[i].key : key;
	for (size_t i = 0; key >= 0 && i < ROWS(layer_key_rows); i++)
		if (layer_key_rows[i].key == key && strcmp(b, layer_key_rows[i].name) == 0)
			return true;
	return false;
}

// Sorts a mapping's entries into slots by key.
static ai8x_status read_keys(const struct reader *reader, yaml_node_t *mapping, const struct key_row *rows,
                             size_t row_count, struct entry *entries, const char *where)
{
	for (yaml_node_pair_t *pair = mapping->data.mapping.pairs.start; pair < mapping->data.mapping.pairs.top;
	     pair++) {
		yaml_node_t *key = yaml_document_get_node(reader->document, pair->key);
		yaml_node_t *value = yaml_document_get_node(reader->document, pair->value);
		size_t line = key->start_mark.line + 1;
		if (key->type != YAML_SCALAR_NODE)
			return fail(reader, line, "%sa key must be a word", where);
		const char *name = (const char *)key->data.scalar.value;
		size_t i = 0;
		while (i < row_count && strcmp(name, rows[i].name) != 0)
			i++;
		if (i == row_count) {
			return fail(reader, line, "%sunknown key '%.60s'; did you mean '%s'?", where, name,
			            nearest(name, rows, row_count));
		}
		struct entry *entry = &entries[rows[i].key];
		if (entry->node != NULL) {
			return fail(reader, line, "%skey '%s' repeats '%s' of line %zu", where, name, entry->name,
			            entry->line);
		}
		*entry = (struct entry){rows[i].name, value, line};
	}
	return AI8X_OK;
}

static const char *scalar_text(const yaml_node_t *node)
{
	return node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value : NULL;
}

// An integer as YAML 1.1 writes it. Quoted scalars are not integers.
static bool scalar_integer(const yaml_node_t *node, int64_t *value)
{
	char digits[80];
	const char *text = scalar_text(node);
	if (text == NULL || (node->data.scalar.style != YAML_PLAIN_SCALAR_STYLE &&
	                     node->data.scalar.style != YAML_ANY_SCALAR_STYLE))
		return false;
	bool negative = *text == '-';
	if (*text == '-' || *text == '+')
		text++;
	int base = 10;
	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
		base = 16;
		text += 2;
	} else if (text[0] == '0' && (text[1] == 'b' || text[1] == 'B')) {
		base = 2;
		text += 2;
	} else if (text[0] == '0' && text[1] != '\0') {
		base = 8;
	}
	size_t length = 0;
	for (; *text != '\0'; text++) {
		if (*text == '_')
			continue;
		if (!isxdigit((unsigned char)*text) || length + 1 >= sizeof digits)
			return false;
		digits[length++] = *text;
	}
	digits[length] = '\0';
	char *end = NULL;
	errno = 0;
	unsigned long long magnitude = strtoull(digits, &end, base);
	if (length == 0 || *end != '\0' || errno != 0 || magnitude > (unsigned long long)INT64_MAX)
		return false;
	*value = negative ? -(int64_t)magnitude : (int64_t)magnitude;
	return true;
}

static ai8x_status take_integer(const struct reader *reader, const struct entry *entry, int64_t least,
                                int64_t greatest, int64_t *value)
{
	if (!scalar_integer(entry->node, value) || *value < least || *value > greatest) {
		char expected[80];
		snprintf(expected, sizeof expected, "an integer from %lld to %lld", (long long)least,
		         (long long)greatest);
		return fail_value(reader, entry, expected);
	}
	return AI8X_OK;
}

static ai8x_status take_u32(const struct reader *reader, const struct entry *entry, uint32_t least,
                            uint32_t greatest, uint32_t *value)
{
	int64_t wide = 0;
	if (entry->node == NULL)
		return AI8X_OK;
	ai8x_status status = take_integer(reader, entry, least, greatest, &wide);
	*value = (uint32_t)wide;
	return status;
}

static ai8x_status take_bool(const struct reader *reader, const struct entry *entry, bool *value)
{
	static const char *const words[2][3] = {{"false", "no", "off"}, {"true", "yes", "on"}};
	int64_t number = 0;
	if (entry->node == NULL)
		return AI8X_OK;
	const char *text = scalar_text(entry->node);
	if (scalar_integer(entry->node, &number) && (number == 0 || number == 1)) {
		*value = number == 1;
		return AI8X_OK;
	}
	for (int b = 0; text != NULL && b < 2; b++) {
		for (int i = 0; i < 3; i++) {
			if (strcasecmp(text, words[b][i]) == 0) {
				*value = b == 1;
				return AI8X_OK;
			}
		}
	}
	return fail_value(reader, entry, "true or false");
}

// A number, or a list of one or two: the second defaults to the first ("both") or to @p second.
static ai8x_status take_pair(const struct reader *reader, const struct entry *entry, uint32_t least,
                             uint32_t greatest, bool both, uint32_t pair[2])
{
	if (entry->node == NULL)
		return AI8X_OK;
	size_t count = 1;
	yaml_node_item_t *items = NULL;
	if (entry->node->type == YAML_SEQUENCE_NODE) {
		items = entry->node->data.sequence.items.start;
		count = (size_t)(entry->node->data.sequence.items.top - items);
	}
	if (count < 1 || count > 2)
		return fail_value(reader, entry, "a number or a list of two numbers");
	for (size_t i = 0; i < count; i++) {
		struct entry item = *entry;
		if (items != NULL)
			item.node = yaml_document_get_node(reader->document, items[i]);
		ai8x_status status = take_u32(reader, &item, least, greatest, &pair[i]);
		if (status != AI8X_OK)
			return status;
	}
	if (count == 1)
		pair[1] = both ? pair[0] : 1;
	return AI8X_OK;
}

// A map of processors: an integer, or hexadecimal text with dots or underscores between digits.
static ai8x_status take_map(const struct reader *reader, const struct entry *entry, uint64_t *map)
{
	char digits[80];
	size_t length = 0;
	bool bad = false;
	const char *text;
	if (entry->node == NULL)
		return AI8X_OK;
	text = scalar_text(entry->node);
	int64_t number = 0;
	if (scalar_integer(entry->node, &number)) {
		bad = number < 1;
		*map = (uint64_t)number;
	} else if (text != NULL) {
		// Integers above 2^63 - 1 land here as well: they are hexadecimal in every sensible file.
		for (; *text != '\0' && !bad; text++) {
			if (*text == '.' || *text == '_')
				continue;
			bad = length + 1 >= sizeof digits;
			if (!bad)
				digits[length++] = *text;
		}
		digits[length] = '\0';
		char *end = digits;
		errno = 0;
		unsigned long long value = strtoull(digits, &end, 16);
		bad = bad || length == 0 || *end != '\0' || errno != 0 || value == 0 || digits[0] == '-' ||
		      digits[0] == '+' || isspace((unsigned char)digits[0]);
		*map = value;
	} else {
		bad = true;
	}
	return bad ? fail_value(reader, entry, "a map of 1 to 64 processors such as 0x000000000000ffff")
	           : AI8X_OK;
}

struct word_row {
	const char *word;
	int value;
};

static ai8x_status take_word(const struct reader *reader, const struct entry *entry,
                             const struct word_row *rows, size_t count, int *value)
{
	char expected[200] = "one of";
	const char *text = scalar_text(entry->node), *near = NULL;
	size_t best = SIZE_MAX;
	for (size_t i = 0; text != NULL && i < count; i++) {
		if (strcasecmp(text, rows[i].word) == 0) {
			*value = rows[i].value;
			return AI8X_OK;
		}
		near = network_may_mean(text, rows[i].word, &best) ? rows[i].word : near;
	}
	for (size_t i = 0; i < count; i++) {
		size_t used = strlen(expected);
		snprintf(expected + used, sizeof expected - used, "%s %s", i == 0 ? "" : ",", rows[i].word);
	}
	return fail_word(reader, entry, expected, near);
}

// Operations of the key "operation". A name of an element-wise function, "bitwise" before it or not, is a
// passthrough layer with that function.
static const struct word_row operation_rows[] = {
	{"conv2d", AI8X_OP_CONV2D},
	{"conv1d", AI8X_OP_CONV1D},
	{"convtranspose2d", AI8X_OP_CONVT2D},
	{"linear", AI8X_OP_LINEAR},
	{"passthrough", AI8X_OP_PASSTHROUGH},
	{"none", AI8X_OP_PASSTHROUGH},
	{"fc", AI8X_OP_LINEAR},
	{"mlp", AI8X_OP_LINEAR},
};

enum { MAX_WORDS = 24 };

// The element-wise functions by the names that the library gives them; returns how many.
static size_t eltwise_words(struct word_row *rows, size_t most)
{
	size_t count = 0;
	while (count < most && ai8x_eltwise_name((ai8x_eltwise)count)[0] != '?') {
		rows[count] = (struct word_row){ai8x_eltwise_name((ai8x_eltwise)count), (int)count};
		count++;
	}
	return count;
}

static const struct word_row activation_rows[] = {
	{"relu", AI8X_ACTIVATE_RELU},
	{"abs", AI8X_ACTIVATE_ABS},
	{"none", AI8X_ACTIVATE_NONE},
};

static const struct word_row format_rows[] = {{"hwc", 0}, {"little", 0}, {"chw", 1}, {"big", 1}};

static const struct word_row width_rows[] = {{"8", 8}, {"32", 32}};

static const struct word_row bits_rows[] = {{"8", 8}, {"4", 4},    {"2", 2},
                                            {"1", 1}, {"bin", -1}, {"binary", -1}};

static const char *without_bitwise(const char *word)
{
	static const char prefix[] = "bitwise";
	if (strncasecmp(word, prefix, strlen(prefix)) != 0)
		return word;
	word += strlen(prefix);
	return *word == '_' ? word + 1 : word;
}

// Takes an element-wise function out of the key "operation"; false: it names none.
static bool take_eltwise_operation(const struct entry *entry, const struct word_row *functions, size_t count,
                                   ai8x_network_layer *layer)
{
	const char *text = scalar_text(entry->node);
	for (size_t i = 0; text != NULL && i < count; i++) {
		if (strcasecmp(without_bitwise(text), functions[i].word) == 0) {
			layer->operation = AI8X_OP_PASSTHROUGH;
			layer->eltwise = (ai8x_eltwise)functions[i].value;
			layer->operands = 2;
			return true;
		}
	}
	return false;
}

// Operation, element-wise function and the kernel that they imply.
static ai8x_status read_operation(const struct reader *reader, const struct entry *entries,
                                  ai8x_network_layer *layer)
{
	ai8x_status status = AI8X_OK;
	int value = AI8X_OP_CONV2D;
	struct word_row words[MAX_WORDS];
	struct word_row *const functions = words + ROWS(operation_rows);
	const size_t count = eltwise_words(functions, MAX_WORDS - ROWS(operation_rows));
	if (entries[KEY_OPERATION].node != NULL &&
	    !take_eltwise_operation(&entries[KEY_OPERATION], functions, count, layer)) {
		memcpy(words, operation_rows, sizeof operation_rows);
		status = take_word(reader, &entries[KEY_OPERATION], words, ROWS(operation_rows) + count, &value);
		layer->operation = (ai8x_operation)value;
	}
	if (status == AI8X_OK && entries[KEY_ELTWISE].node != NULL) {
		status = take_word(reader, &entries[KEY_ELTWISE], functions, count, &value);
		layer->eltwise = (ai8x_eltwise)value;
		layer->operands = 2;
	}
	if (status == AI8X_OK && entries[KEY_OPERANDS].node != NULL) {
		if (layer->operands == 1) {
			return fail(reader, entries[KEY_OPERANDS].line,
			            "key 'operands' needs an element-wise operation (key 'eltwise')");
		}
		status = take_u32(reader, &entries[KEY_OPERANDS], 2, 16, &layer->operands);
	}
	return status;
}

// Digits, or digits x digits.
static bool is_kernel_size(const char *text)
{
	static const char digits[] = "0123456789";
	const size_t first = strspn(text, digits);
	const char *rest = text + first;
	if (first == 0 || *rest == '\0')
		return first > 0;
	const size_t second = *rest == 'x' || *rest == 'X' ? strspn(rest + 1, digits) : 0;
	return second > 0 && rest[1 + second] == '\0';
}

static ai8x_status read_kernel_size(const struct reader *reader, const struct entry *entry,
                                    ai8x_network_layer *layer)
{
	const char *text = entry->node == NULL ? NULL : scalar_text(entry->node);
	int64_t length = 0;
	if (layer->operation == AI8X_OP_CONV1D) {
		layer->kernel_rows = 9;
		layer->kernel_columns = 1;
	} else if (layer->operation == AI8X_OP_LINEAR || layer->operation == AI8X_OP_PASSTHROUGH) {
		layer->kernel_rows = 1;
		layer->kernel_columns = 1;
	}
	if (entry->node == NULL)
		return AI8X_OK;
	switch (layer->operation) {
	case AI8X_OP_PASSTHROUGH:
		// Files that were changed still have it; it has no effect.
		return text != NULL && is_kernel_size(text)
		           ? AI8X_OK
		           : fail_value(reader, entry, "a size such as 3x3, or a length");
	case AI8X_OP_CONV2D:
		if (text != NULL && strcasecmp(text, "1x1") == 0) {
			layer->kernel_rows = 1;
			layer->kernel_columns = 1;
			return AI8X_OK;
		}
		if (text == NULL || strcasecmp(text, "3x3") != 0)
			return fail_value(reader, entry, "3x3 or 1x1 (the kernels that the hardware has for conv2d)");
		return AI8X_OK;
	case AI8X_OP_CONVT2D:
		if (text == NULL || strcasecmp(text, "3x3") != 0) {
			return fail_value(reader, entry,
			                  "3x3 (the only kernel that the hardware has for convtranspose2d)");
		}
		return AI8X_OK;
	case AI8X_OP_CONV1D:
		if (!scalar_integer(entry->node, &length) || length < 1 || length > 9)
			return fail_value(reader, entry, "a length from 1 to 9");
		layer->kernel_rows = (uint32_t)length;
		return AI8X_OK;
	default:
		return fail(reader, entry->line, "key 'kernel_size' cannot be used with a linear layer");
	}
}

static ai8x_status read_pooling(const struct reader *reader, const struct entry *entries,
                                ai8x_network_layer *layer)
{
	const struct entry *max = &entries[KEY_MAX_POOL];
	const struct entry *average = &entries[KEY_AVG_POOL];
	uint32_t window[2] = {1, 1};
	uint32_t stride[2] = {1, 1};
	uint32_t dilation[2] = {1, 1};
	bool linewise = layer->operation == AI8X_OP_CONV1D;
	ai8x_status status;

	if (max->node != NULL && average->node != NULL)
		return fail(reader, average->line, "key 'avg_pool' cannot be combined with 'max_pool'");
	if ((status = take_pair(reader, max, 1, 16, true, window)) != AI8X_OK ||
	    (status = take_pair(reader, average, 1, 16, true, window)) != AI8X_OK ||
	    (status = take_pair(reader, &entries[KEY_POOL_STRIDE], 1, 16, true, stride)) != AI8X_OK ||
	    (status = take_pair(reader, &entries[KEY_POOL_DILATION], 1, 16, true, dilation)) != AI8X_OK)
		return status;
	if (entries[KEY_POOL_DILATION].node != NULL && max->node == NULL && average->node == NULL)
		return fail(reader, entries[KEY_POOL_DILATION].line, "key 'pool_dilation' needs pooling");
	// Along one line of data the second number has no meaning; files give it all the same.
	if (!linewise && stride[0] != stride[1]) {
		if (stride[1] != 1 || layer->operation != AI8X_OP_PASSTHROUGH) {
			return fail(reader, entries[KEY_POOL_STRIDE].line,
			            "key 'pool_stride': the hardware has one stride for rows and columns, not %ux%u",
			            stride[0], stride[1]);
		}
	}
	layer->pool_rows = window[0];
	layer->pool_columns = linewise ? 1 : window[1];
	layer->pool_stride = stride[0];
	layer->pool_dilation_rows = dilation[0];
	layer->pool_dilation_columns = linewise ? 1 : dilation[1];
	if (layer->pool_rows > 1 || layer->pool_columns > 1)
		layer->pooling = max->node != NULL ? AI8X_POOL_MAX : AI8X_POOL_AVERAGE;
	status = take_bool(reader, &entries[KEY_POOL_FIRST], &layer->pool_first);
	if (status == AI8X_OK && !layer->pool_first &&
	    (layer->operands == 1 || layer->pooling == AI8X_POOL_NONE)) {
		return fail(reader, entries[KEY_POOL_FIRST].line,
		            "key 'pool_first: false' needs both pooling and an element-wise operation");
	}
	return status;
}

static ai8x_status read_convolution(const struct reader *reader, const struct entry *entries,
                                    ai8x_network_layer *layer)
{
	bool convolution = layer->operation != AI8X_OP_PASSTHROUGH;
	uint32_t pair[2];
	ai8x_status status;

	uint32_t pad = layer->operation == AI8X_OP_PASSTHROUGH || layer->operation == AI8X_OP_LINEAR ? 0 : 1;
	if ((status = take_u32(reader, &entries[KEY_PAD], 0, NETWORK_MAX_SIDE, &pad)) != AI8X_OK)
		return status;
	layer->pad_rows = pad;
	layer->pad_columns = layer->operation == AI8X_OP_CONV1D ? 0 : pad;

	pair[0] = pair[1] = 1;
	if ((status = take_pair(reader, &entries[KEY_DILATION], 1, NETWORK_MAX_SIDE, true, pair)) != AI8X_OK)
		return status;
	if (!convolution && entries[KEY_DILATION].node != NULL)
		return fail(reader, entries[KEY_DILATION].line, "key 'dilation' needs a convolution");
	if (pair[0] > 1 && layer->operation != AI8X_OP_CONV1D) {
		return fail(reader, entries[KEY_DILATION].line,
		            "key 'dilation': the hardware has no dilated 2-D convolution (conv1d is emulated)");
	}
	layer->dilation = pair[0];

	uint32_t stride = layer->operation == AI8X_OP_CONVT2D ? 2 : 1;
	pair[0] = pair[1] = stride;
	if ((status = take_pair(reader, &entries[KEY_STRIDE], 1, 16, true, pair)) != AI8X_OK)
		return status;
	if (pair[0] != stride) {
		return fail(
			reader, entries[KEY_STRIDE].line,
			"key 'stride': the hardware convolves with stride 1 (transposed: 2) only; a pooling stride "
			"(key 'pool_stride') takes fewer pixels");
	}

	layer->output_padding = layer->operation == AI8X_OP_CONVT2D ? 1 : 0;
	if ((status = take_u32(reader, &entries[KEY_OUTPUT_PAD], 0, 1, &layer->output_padding)) != AI8X_OK ||
	    (status = take_u32(reader, &entries[KEY_GROUPS], 1, NETWORK_MAX_CHANNELS, &layer->groups)) !=
	        AI8X_OK ||
	    (status = take_bool(reader, &entries[KEY_FLATTEN], &layer->flatten)) != AI8X_OK ||
	    (status = take_bool(reader, &entries[KEY_BYPASS], &layer->bypass)) != AI8X_OK)
		return status;
	return AI8X_OK;
}

static ai8x_status read_arithmetic(const struct reader *reader, const struct entry *entries,
                                   ai8x_network_layer *layer)
{
	ai8x_status status = AI8X_OK;
	int64_t shift = 0;
	int value = 0;

	layer->weight_bits = 0; // not given: the weights file or a default decides
	if (entries[KEY_QUANTIZATION].node != NULL) {
		status =
			take_word(reader, &entries[KEY_QUANTIZATION], bits_rows, ROWS(bits_rows), &layer->weight_bits);
	}
	if (status == AI8X_OK && entries[KEY_OUTPUT_SHIFT].node != NULL) {
		status = take_integer(reader, &entries[KEY_OUTPUT_SHIFT], -31, 31, &shift);
		layer->output_shift = (int32_t)shift;
		layer->shift_given = true;
	}
	if (status == AI8X_OK && entries[KEY_OUTPUT_WIDTH].node != NULL) {
		status = take_word(reader, &entries[KEY_OUTPUT_WIDTH], width_rows, ROWS(width_rows), &value);
		layer->output_bits = (unsigned)value;
	}
	if (status == AI8X_OK && entries[KEY_ACTIVATE].node != NULL) {
		value = AI8X_ACTIVATE_NONE;
		status = take_word(reader, &entries[KEY_ACTIVATE], activation_rows, ROWS(activation_rows), &value);
		layer->activation = (ai8x_activation)value;
	}
	return status;
}

static ai8x_status read_input(const struct reader *reader, const struct entry *entries,
                              ai8x_network_layer *layer)
{
	uint32_t dim[2] = {0, 0};
	uint32_t crop[2] = {0, 0};
	int64_t offset = 0;
	ai8x_status status;

	if ((status = take_u32(reader, &entries[KEY_IN_CHANNELS], 1, NETWORK_MAX_CHANNELS,
	                       &layer->in_channels)) != AI8X_OK ||
	    (status = take_u32(reader, &entries[KEY_IN_CHANNEL_SKIP], 0, NETWORK_MAX_CHANNELS,
	                       &layer->first_channel)) != AI8X_OK ||
	    (status = take_u32(reader, &entries[KEY_OUT_CHANNELS], 1, NETWORK_MAX_CHANNELS,
	                       &layer->out_channels)) != AI8X_OK ||
	    (status = take_pair(reader, &entries[KEY_IN_DIM], 1, NETWORK_MAX_SIDE, false, dim)) != AI8X_OK ||
	    (status = take_pair(reader, &entries[KEY_IN_CROP], 0, NETWORK_MAX_SIDE, false, crop)) != AI8X_OK)
		return status;
	if (entries[KEY_IN_CROP].node != NULL && entries[KEY_IN_CROP].node->type != YAML_SEQUENCE_NODE) {
		return fail_value(reader, &entries[KEY_IN_CROP],
		                  "a list of two numbers (rows dropped at top and bottom)");
	}
	layer->in_rows = dim[0];
	layer->in_columns = dim[1];
	layer->crop_first = crop[0];
	layer->crop_last = crop[1];
	if (layer->flatten && layer->in_channels > 0) {
		// The key counts the flattened channels; resolving divides them when it knows the image.
		layer->fan_channels = layer->in_channels;
		layer->in_channels = 0;
	}
	if (entries[KEY_IN_OFFSET].node != NULL) {
		status = take_integer(reader, &entries[KEY_IN_OFFSET], 0, INT32_MAX, &offset);
		layer->in_offset = offset;
	}
	if (status == AI8X_OK && entries[KEY_OUT_OFFSET].node != NULL) {
		status = take_integer(reader, &entries[KEY_OUT_OFFSET], 0, INT32_MAX, &offset);
		layer->out_offset = offset;
	}
	if (status == AI8X_OK && (layer->in_offset > 0 && layer->in_offset % 4 != 0))
		return fail_value(reader, &entries[KEY_IN_OFFSET], "a multiple of 4");
	if (status == AI8X_OK && (layer->out_offset > 0 && layer->out_offset % 4 != 0))
		return fail_value(reader, &entries[KEY_OUT_OFFSET], "a multiple of 4");
	return status;
}

static ai8x_status read_bias_groups(const struct reader *reader, const struct entry *entry, uint8_t *groups)
{
	size_t count = 1;
	yaml_node_item_t *items = NULL;
	if (entry->node == NULL)
		return AI8X_OK;
	if (entry->node->type == YAML_SEQUENCE_NODE) {
		items = entry->node->data.sequence.items.start;
		count = (size_t)(entry->node->data.sequence.items.top - items);
	}
	for (size_t i = 0; i < count; i++) {
		struct entry item = *entry;
		uint32_t group = 0;
		if (items != NULL)
			item.node = yaml_document_get_node(reader->document, items[i]);
		ai8x_status status = take_u32(reader, &item, 0, AI8X_GROUPS - 1, &group);
		if (status != AI8X_OK)
			return status;
		*groups = (uint8_t)(*groups | 1u << group);
	}
	return AI8X_OK;
}

static ai8x_status read_placement(const struct reader *reader, const struct entry *entries,
                                  ai8x_network_layer *layer)
{
	ai8x_status status = AI8X_OK;
	int value = 0;
	bool flag = false;

	if (entries[KEY_DATA_FORMAT].node != NULL) {
		status = take_word(reader, &entries[KEY_DATA_FORMAT], format_rows, ROWS(format_rows), &value);
		layer->chw = value == 1;
	}
	if (status != AI8X_OK ||
	    (status = take_map(reader, &entries[KEY_PROCESSORS], &layer->processors)) != AI8X_OK ||
	    (status = take_map(reader, &entries[KEY_OUTPUT_PROCESSORS], &layer->output_processors)) != AI8X_OK ||
	    (status = take_u32(reader, &entries[KEY_WRITE_GAP], 0, 4095, &layer->write_gap)) != AI8X_OK ||
	    (status = take_u32(reader, &entries[KEY_READ_GAP], 0, NETWORK_MAX_SIDE, &layer->read_gap)) !=
	        AI8X_OK ||
	    (status = take_bool(reader, &entries[KEY_STREAMING], &layer->streaming)) != AI8X_OK ||
	    (status = take_bool(reader, &entries[KEY_CALCX4], &layer->calcx4)) != AI8X_OK ||
	    (status = take_bool(reader, &entries[KEY_READAHEAD], &layer->read_ahead)) != AI8X_OK ||
	    (status = take_bool(reader, &entries[KEY_TCALC], &flag)) != AI8X_OK ||
	    (status = take_bool(reader, &entries[KEY_OUTPUT], &layer->output)) != AI8X_OK ||
	    (status = read_bias_groups(reader, &entries[KEY_BIAS_GROUP], &layer->bias_groups)) != AI8X_OK)
		return status;
	layer->write_gap_given = entries[KEY_WRITE_GAP].node != NULL;
	layer->read_gap_given = entries[KEY_READ_GAP].node != NULL;
	layer->tcalc = entries[KEY_TCALC].node == NULL ? AI8X_NETWORK_DEFAULT : flag;
	return AI8X_OK;
}

// Keys that the description knows and no program of this library can express.
static ai8x_status refuse_unsupported(const struct reader *reader, const struct entry *entries)
{
	static const enum layer_key refused[] = {KEY_BUFFER_SHIFT, KEY_BUFFER_INSERT};
	for (size_t i = 0; i < ROWS(refused); i++) {
		const struct entry *entry = &entries[refused[i]];
		if (entry->node != NULL) {
			char text[64];
			snprintf(text, sizeof text, "key '%s'", entry->name);
			return error_set(reader->error, AI8X_ERR_UNSUPPORTED,
			                 "%s:%zu: %s%s keeps data between runs, which a program with one run cannot show",
			                 reader->file, entry->line, reader->layer, text);
		}
	}
	return AI8X_OK;
}

static ai8x_status read_layer(const struct reader *reader, yaml_node_t *node, ai8x_network_layer *layer,
                              struct entry *entries)
{
	size_t line = node->start_mark.line + 1;
	ai8x_status status;
	if (node->type != YAML_MAPPING_NODE)
		return fail(reader, line, "a layer must be a mapping of keys to values");
	layer->line = (unsigned)line;
	if ((status = read_keys(reader, node, layer_key_rows, ROWS(layer_key_rows), entries, "")) != AI8X_OK ||
	    (status = refuse_unsupported(reader, entries)) != AI8X_OK ||
	    (status = read_operation(reader, entries, layer)) != AI8X_OK ||
	    (status = read_kernel_size(reader, &entries[KEY_KERNEL_SIZE], layer)) != AI8X_OK ||
	    (status = read_pooling(reader, entries, layer)) != AI8X_OK ||
	    (status = read_convolution(reader, entries, layer)) != AI8X_OK ||
	    (status = read_arithmetic(reader, entries, layer)) != AI8X_OK ||
	    (status = read_input(reader, entries, layer)) != AI8X_OK ||
	    (status = read_placement(reader, entries, layer)) != AI8X_OK)
		return status;
	if (entries[KEY_NAME].node != NULL) {
		const char *name = scalar_text(entries[KEY_NAME].node);
		if (name == NULL || *name == '\0' || strcasecmp(name, "input") == 0 || strcasecmp(name, "stop") == 0)
			return fail_value(reader, &entries[KEY_NAME], "a name other than 'input' and 'stop'");
		layer->name = strdup(name);
		if (layer->name == NULL)
			return error_no_memory(reader->error, "a layer's name");
	}
	return AI8X_OK;
}

// The layer, or other word, that is spelled most like a word, if it is like it at all; NULL: none.
static const char *nearest_layer(const ai8x_network *network, const char *word, const char *other)
{
	size_t best = SIZE_MAX;
	const char *near = NULL;
	if (word != NULL && other != NULL && network_may_mean(word, other, &best))
		near = other;
	for (size_t i = 0; word != NULL && i < network->layer_count; i++) {
		const char *name = network->layers[i].name;
		near = name != NULL && network_may_mean(word, name, &best) ? name : near;
	}
	return near;
}

// Position of the layer that a scalar names by number or by name; @p extra_word gives extra_value.
static ai8x_status take_layer(const struct reader *reader, const struct entry *entry, const yaml_node_t *node,
                              const char *extra_word, int extra_value, int *position)
{
	const ai8x_network *network = reader->network;
	struct entry item = *entry;
	item.node = (yaml_node_t *)node;
	int64_t number = 0;
	const char *text = scalar_text(node);
	if (scalar_integer(node, &number)) {
		if (number == extra_value) {
			*position = extra_value;
			return AI8X_OK;
		}
		for (size_t i = 0; i < network->layer_count; i++) {
			if (network->layers[i].number == number) {
				*position = (int)i;
				return AI8X_OK;
			}
		}
	} else if (text != NULL) {
		if (extra_word != NULL && strcasecmp(text, extra_word) == 0) {
			*position = extra_value;
			return AI8X_OK;
		}
		for (size_t i = 0; i < network->layer_count; i++) {
			if (network->layers[i].name != NULL && strcasecmp(text, network->layers[i].name) == 0) {
				*position = (int)i;
				return AI8X_OK;
			}
		}
	}
	return fail_word(reader, &item, "the number or name of a layer",
	                 nearest_layer(network, text, extra_word));
}

// References between layers, which need all layers to be known.
static ai8x_status read_references(const struct reader *reader, const struct entry *entries,
                                   ai8x_network_layer *layer)
{
	static const struct {
		enum layer_key key;
		size_t member;
		const char *extra_word;
		int extra_value;
	} links[] = {
		{KEY_NEXT_SEQUENCE, offsetof(ai8x_network_layer, next), "stop", AI8X_NETWORK_STOP},
		{KEY_SIMULATED_SEQUENCE, offsetof(ai8x_network_layer, next_simulated), "stop", AI8X_NETWORK_STOP},
		{KEY_SNOOP_SEQUENCE, offsetof(ai8x_network_layer, next_snoop), NULL, INT_MIN},
		{KEY_WEIGHT_SOURCE, offsetof(ai8x_network_layer, weight_source), NULL, INT_MIN},
	};
	for (size_t i = 0; i < ROWS(links); i++) {
		const struct entry *entry = &entries[links[i].key];
		int position = 0;
		if (entry->node == NULL)
			continue;
		ai8x_status status =
			take_layer(reader, entry, entry->node, links[i].extra_word, links[i].extra_value, &position);
		if (status != AI8X_OK)
			return status;
		memcpy((char *)layer + links[i].member, &position, sizeof position);
	}

	const struct entry *entry = &entries[KEY_IN_SEQUENCES];
	if (entry->node == NULL)
		return AI8X_OK;
	yaml_node_item_t *items = NULL;
	size_t count = 1;
	if (entry->node->type == YAML_SEQUENCE_NODE) {
		items = entry->node->data.sequence.items.start;
		count = (size_t)(entry->node->data.sequence.items.top - items);
	}
	if (count == 0 || count > AI8X_NETWORK_SOURCES)
		return fail_value(reader, entry, "one to sixteen layers");
	for (size_t i = 0; i < count; i++) {
		const yaml_node_t *node =
			items == NULL ? entry->node : yaml_document_get_node(reader->document, items[i]);
		ai8x_status status = take_layer(reader, entry, node, "input", AI8X_NETWORK_INPUT, &layer->sources[i]);
		if (status != AI8X_OK)
			return status;
	}
	layer->source_count = (unsigned)count;
	return AI8X_OK;
}

// A layer with its entries, to be sorted by number.
struct numbered {
	ai8x_network_layer layer;
	struct entry entries[LAYER_KEYS];
};

static int by_number(const void *a, const void *b)
{
	const struct numbered *left = a;
	const struct numbered *right = b;
	return left->layer.number < right->layer.number ? -1 : left->layer.number > right->layer.number;
}

static ai8x_status check_names(const struct reader *reader, const struct numbered *layers, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		for (size_t j = i + 1; j < count; j++) {
			if (layers[i].layer.number == layers[j].layer.number) {
				return fail(reader, layers[j].layer.line, "layer %u was already described in line %u",
				            layers[j].layer.number, layers[i].layer.line);
			}
			if (layers[i].layer.name != NULL && layers[j].layer.name != NULL &&
			    strcasecmp(layers[i].layer.name, layers[j].layer.name) == 0) {
				return fail(reader, layers[j].layer.line,
				            "layer %u: the name '%s' was already used for layer %u in line %u",
				            layers[j].layer.number, layers[j].layer.name, layers[i].layer.number,
				            layers[i].layer.line);
			}
		}
	}
	return AI8X_OK;
}

static void call_layer(struct reader *reader, const char *name, uint32_t number)
{
	snprintf(reader->layer, sizeof reader->layer, name == NULL ? "layer %u: " : "layer %u (%.40s): ", number,
	         name);
}

// What messages call a layer, from keys that are looked at before all others.
static void name_layer(struct reader *reader, yaml_node_t *node, uint32_t number)
{
	const char *name = NULL;
	int64_t given = 0;
	for (size_t i = 0; node->type == YAML_MAPPING_NODE &&
	                   i < (size_t)(node->data.mapping.pairs.top - node->data.mapping.pairs.start);
	     i++) {
		const yaml_node_pair_t *pair = &node->data.mapping.pairs.start[i];
		const char *key = scalar_text(yaml_document_get_node(reader->document, pair->key));
		const yaml_node_t *value = yaml_document_get_node(reader->document, pair->value);
		if (key != NULL && strcmp(key, "name") == 0)
			name = scalar_text(value);
		if (key != NULL && strcmp(key, "sequence") == 0 && scalar_integer(value, &given) && given >= 0 &&
		    given < NETWORK_MAX_LAYERS)
			number = (uint32_t)given;
	}
	call_layer(reader, name, number);
}

static ai8x_status read_layers(struct reader *reader, const struct entry *top)
{
	ai8x_network *network = reader->network;
	yaml_node_item_t *items = top->node->data.sequence.items.start;
	size_t count = network->layer_count;
	uint32_t number = 0;
	ai8x_status status = AI8X_OK;

	struct numbered *numbered = calloc(count, sizeof *numbered);
	if (numbered == NULL)
		return error_no_memory(reader->error, "layers");
	size_t done = 0;
	for (; done < count && status == AI8X_OK; done++, number++) {
		struct numbered *slot = &numbered[done];
		slot->layer = network->layers[done];
		name_layer(reader, yaml_document_get_node(reader->document, items[done]), number);
		status = read_layer(reader, yaml_document_get_node(reader->document, items[done]), &slot->layer,
		                    slot->entries);
		if (status == AI8X_OK)
			status = take_u32(reader, &slot->entries[KEY_SEQUENCE], 0, NETWORK_MAX_LAYERS - 1, &number);
		slot->layer.number = number;
	}
	reader->layer[0] = '\0';
	if (status == AI8X_OK)
		status = check_names(reader, numbered, count);
	if (status == AI8X_OK)
		qsort(numbered, count, sizeof *numbered, by_number);
	// From here on the network owns what the layers own, whatever happens.
	for (size_t i = 0; i < count; i++)
		network->layers[i] = numbered[i].layer;
	for (size_t i = 0; i < count && status == AI8X_OK; i++) {
		call_layer(reader, network->layers[i].name, network->layers[i].number);
		status = read_references(reader, numbered[i].entries, &network->layers[i]);
	}
	reader->layer[0] = '\0';
	free(numbered);
	return status;
}

static ai8x_status take_text(const struct reader *reader, const struct entry *entry, char **text)
{
	if (entry->node == NULL)
		return AI8X_OK;
	const char *value = scalar_text(entry->node);
	if (value == NULL)
		return fail_value(reader, entry, "a word");
	*text = strdup(value);
	return *text == NULL ? error_no_memory(reader->error, "a name") : AI8X_OK;
}

// A file beside the description, checked to be there. Bare words are what the vendor's generator calls its test data.
static ai8x_status take_file(const struct reader *reader, const struct entry *entry, char **path)
{
	static const char *const suffixes[] = {".h5", ".hdf5", ".npz", ".npy"};
	const char *value = entry->node == NULL ? NULL : scalar_text(entry->node);
	const char *slash = strrchr(reader->file, '/');
	bool known = false;
	ai8x_error reason = {AI8X_OK, ""};
	if (entry->node == NULL)
		return AI8X_OK;
	if (value == NULL)
		return fail_value(reader, entry, "the name of a file");
	for (size_t i = 0; i < ROWS(suffixes); i++)
		known = known || file_has_suffix(value, suffixes[i]);
	if (!known) {
		network_note(reader->network, -1, "key '%s': '%.60s' names no .h5, .npz or .npy file and is ignored",
		             entry->name, value);
		return AI8X_OK;
	}
	const int folder = value[0] == '/' || slash == NULL ? 0 : (int)(slash - reader->file) + 1;
	if (asprintf(path, "%.*s%s", folder, reader->file, value) < 0) {
		*path = NULL;
		return error_no_memory(reader->error, "a path");
	}
	if (file_check_readable(*path, &reason) != AI8X_OK)
		return fail(reader, entry->line, "key '%s': %.300s", entry->name, reason.message);
	return AI8X_OK;
}

static ai8x_status read_files(const struct reader *reader, const struct entry *entries)
{
	ai8x_status status;
	if (reader->named == NULL)
		return AI8X_OK;
	if ((status = take_file(reader, &entries[TOP_WEIGHTS], &reader->named->weights)) != AI8X_OK ||
	    (status = take_file(reader, &entries[TOP_BIAS], &reader->named->bias)) != AI8X_OK)
		return status;
	return take_file(reader, &entries[TOP_INPUT], &reader->named->input);
}

void named_files_release(struct named_files *named)
{
	free(named->weights);
	free(named->bias);
	free(named->input);
	*named = (struct named_files){NULL, NULL, NULL};
}

static ai8x_status read_part(const struct reader *reader, const struct entry *entry)
{
	ai8x_status status = take_text(reader, entry, &reader->network->part);
	if (status == AI8X_OK && reader->network->part != NULL && ai8x_part_find(reader->network->part) == NULL)
		status = fail_value(reader, entry, "MAX78000 or MAX78002");
	return status;
}

static ai8x_status read_snoop(const struct reader *reader, const struct entry *entry)
{
	ai8x_network *network = reader->network;
	if (entry->node == NULL)
		return AI8X_OK;
	if (entry->node->type != YAML_SEQUENCE_NODE ||
	    entry->node->data.sequence.items.top - entry->node->data.sequence.items.start != 32)
		return fail_value(reader, entry, "a list of 32 register values");
	for (size_t i = 0; i < 32; i++) {
		struct entry item = *entry;
		item.node = yaml_document_get_node(reader->document, entry->node->data.sequence.items.start[i]);
		ai8x_status status = take_u32(reader, &item, 0, UINT32_MAX, &network->snoop[i]);
		if (status != AI8X_OK)
			return status;
	}
	network->snoop_given = true;
	return AI8X_OK;
}

static ai8x_status read_top(struct reader *reader, yaml_node_t *root, const char *name)
{
	struct entry entries[TOP_KEYS] = {{NULL, NULL, 0}};
	ai8x_status status = read_keys(reader, root, top_key_rows, ROWS(top_key_rows), entries, "description: ");
	if (status != AI8X_OK)
		return status;
	const struct entry *layers = &entries[TOP_LAYERS];
	if (layers->node == NULL)
		return fail(reader, root->start_mark.line + 1, "key 'layers' is missing");
	if (layers->node->type != YAML_SEQUENCE_NODE)
		return fail_value(reader, layers, "a list of layers");
	size_t count = (size_t)(layers->node->data.sequence.items.top - layers->node->data.sequence.items.start);
	if (count == 0 || count > NETWORK_MAX_LAYERS) {
		return fail(reader, layers->line, "key 'layers': expected 1 to %u layers, found %zu",
		            NETWORK_MAX_LAYERS, count);
	}
	if (entries[TOP_DATA_BUFFER].node != NULL) {
		return error_set(
			reader->error, AI8X_ERR_UNSUPPORTED,
			"%s:%zu: key 'data_buffer' keeps data between runs, which a program with one run cannot show",
			reader->file, entries[TOP_DATA_BUFFER].line);
	}
	status = ai8x_network_create(name, count, &reader->network, reader->error);
	if (status != AI8X_OK)
		return status;
	reader->network->file = strdup(reader->file);
	if (reader->network->file == NULL)
		return error_no_memory(reader->error, "a file name");
	if ((status = take_text(reader, &entries[TOP_ARCH], &reader->network->arch)) != AI8X_OK ||
	    (status = take_text(reader, &entries[TOP_DATASET], &reader->network->dataset)) != AI8X_OK ||
	    (status = take_map(reader, &entries[TOP_OUTPUT_MAP], &reader->network->output_map)) != AI8X_OK ||
	    (status = take_bool(reader, &entries[TOP_AVG_POOL_ROUNDING], &reader->network->average_rounding)) !=
	        AI8X_OK ||
	    (status = read_part(reader, &entries[TOP_PART])) != AI8X_OK ||
	    (status = read_files(reader, entries)) != AI8X_OK ||
	    (status = read_snoop(reader, &entries[TOP_SNOOP])) != AI8X_OK)
		return status;
	if (entries[TOP_UNLOAD].node != NULL) {
		network_note(reader->network, -1,
		             "key 'unload' describes generated source code and has no effect here");
	}
	return read_layers(reader, layers);
}

// File name without folder and suffix.
static void base_name(const char *path, char *name, size_t size)
{
	const char *slash = strrchr(path, '/');
	snprintf(name, size, "%s", slash == NULL ? path : slash + 1);
	char *dot = strrchr(name, '.');
	if (dot != NULL && dot != name)
		*dot = '\0';
}

// What else may be given in place of a description, by how its files begin; NULL: none of these.
static const char *other_kind(const char *text, size_t size)
{
	static const struct {
		const char *start, *kind;
	} kinds[] = {
		{"\x89HDF\r\n\x1a\n",
	     "an HDF5 file; `ai8xsim run` and `ai8xsim info` take programs, --weights takes weights"},
		{"\x7f"
	     "ELF",
	     "a firmware image; `ai8xsim run` takes it"},
		{"\x93NUMPY", "a NumPy array; --weights, --bias and --input take it"},
		{"PK\x03\x04", "an archive; --weights takes .npz"},
	};
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		size_t length = strlen(kinds[i].start);
		if (size >= length && memcmp(text, kinds[i].start, length) == 0)
			return kinds[i].kind;
	}
	return NULL;
}

ai8x_status network_read_yaml(const char *text, size_t size, const char *file, struct named_files *named,
                              ai8x_network **network, ai8x_error *error)
{
	struct reader reader = {NULL, NULL, named, file == NULL ? "description" : file, error, ""};
	yaml_document_t document;
	char name[256];

	*network = NULL;
	const char *other = other_kind(text, size);
	if (other != NULL) {
		return error_set(error, AI8X_ERR_FORMAT, "%s: not a network description in YAML: it is %s",
		                 reader.file, other);
	}
	ai8x_status status = yaml_load(reader.file, text, size, &document, error);
	if (status != AI8X_OK)
		return status;
	reader.document = &document;
	yaml_node_t *root = yaml_document_get_root_node(&document);
	base_name(reader.file, name, sizeof name);
	if (root == NULL || root->type != YAML_MAPPING_NODE)
		status = fail(&reader, 1, "expected a mapping with the key 'layers'");
	else
		status = read_top(&reader, root, name);
	yaml_document_delete(&document);
	if (status != AI8X_OK) {
		ai8x_network_destroy(reader.network);
		return status;
	}
	*network = reader.network;
	return AI8X_OK;
}
