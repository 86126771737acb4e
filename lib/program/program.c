// Programs in memory: operations, recorded results, attributes. Files are read and written elsewhere.
#include "program/program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/error.h"

static const char *const kind_names[AI8X_BUS_KINDS] = {
	[AI8X_BUS_WRITE32] = "WRITE32", [AI8X_BUS_WAIT] = "WAIT", [AI8X_BUS_FIFO_WRITE32] = "FIFO_WRITE32",
	[AI8X_BUS_EXPECT] = "EXPECT",   [AI8X_BUS_RUN] = "RUN",   [AI8X_BUS_WRITE8] = "WRITE8",
};

const char *ai8x_op_kind_name(unsigned kind)
{
	return kind < AI8X_BUS_KINDS ? kind_names[kind] : NULL;
}

// --- Attributes --------------------------------------------------------------------------------------

// Size of one value in a file. 0 stands for the usual 8; sizes that do not exist count as 8 as well.
static uint8_t value_bytes(const ai8x_attribute *attribute)
{
	if (attribute->type == AI8X_ATTRIBUTE_INT && attribute->is_boolean)
		return 1;
	if (attribute->bytes == 4)
		return 4;
	bool narrow = attribute->type == AI8X_ATTRIBUTE_INT && (attribute->bytes == 1 || attribute->bytes == 2);
	return narrow ? attribute->bytes : 8;
}

static bool integers_fit(const ai8x_attribute *attribute)
{
	unsigned bits = 8u * value_bytes(attribute);
	for (size_t i = 0; i < attribute->count && bits < 64; i++) {
		int64_t value = attribute->integers[i];
		int64_t least = attribute->is_unsigned ? 0 : -((int64_t)1 << (bits - 1));
		int64_t largest = attribute->is_unsigned ? ((int64_t)1 << bits) - 1 : -(least + 1);
		if (value < least || value > largest)
			return false;
	}
	return true;
}

static bool attribute_is_valid(const ai8x_attribute *attribute)
{
	if (attribute->name == NULL || attribute->name[0] == '\0')
		return false;
	switch (attribute->type) {
	case AI8X_ATTRIBUTE_INT:
		return attribute->integers != NULL && attribute->count > 0 &&
		       attribute->count <= PROGRAM_MAX_INTEGERS && (attribute->count == 1 || !attribute->scalar) &&
		       integers_fit(attribute);
	case AI8X_ATTRIBUTE_FLOAT:
		return attribute->count <= PROGRAM_MAX_INTEGERS &&
		       (attribute->numbers != NULL ? attribute->count > 0 : attribute->count <= 1);
	case AI8X_ATTRIBUTE_TEXT:
		return attribute->text != NULL && strlen(attribute->text) <= PROGRAM_MAX_TEXT;
	}
	return false;
}

static size_t round_up_8(size_t bytes)
{
	return (bytes + 7) & ~(size_t)7;
}

// Everything a copy points to lives in one block that begins with the name.
static bool attribute_copy(ai8x_attribute *copy, const ai8x_attribute *attribute)
{
	size_t name_bytes = strlen(attribute->name) + 1;
	size_t name_space = round_up_8(name_bytes);
	size_t text_bytes = attribute->type == AI8X_ATTRIBUTE_TEXT ? strlen(attribute->text) + 1 : 0;
	size_t count = attribute->type == AI8X_ATTRIBUTE_TEXT ? 0 : attribute->count;
	if (attribute->type == AI8X_ATTRIBUTE_FLOAT && attribute->numbers == NULL)
		count = 1;
	char *block = malloc(name_space + text_bytes + count * sizeof(int64_t));
	if (block == NULL)
		return false;
	*copy = *attribute;
	memcpy(block, attribute->name, name_bytes);
	copy->name = block;
	copy->count = count;
	copy->bytes = attribute->type == AI8X_ATTRIBUTE_TEXT ? 0 : value_bytes(attribute);
	copy->integers = NULL;
	copy->numbers = NULL;
	copy->text = NULL;
	void *data = block + name_space;
	switch (attribute->type) {
	case AI8X_ATTRIBUTE_INT:
		memcpy(data, attribute->integers, count * sizeof(int64_t));
		copy->integers = data;
		break;
	case AI8X_ATTRIBUTE_FLOAT:
		memcpy(data, attribute->numbers != NULL ? attribute->numbers : &attribute->number,
		       count * sizeof(double));
		copy->numbers = data;
		copy->number = copy->numbers[0];
		break;
	case AI8X_ATTRIBUTE_TEXT:
		memcpy(data, attribute->text, text_bytes);
		copy->text = data;
		copy->scalar = true;
		break;
	}
	if (count <= 1 && attribute->type == AI8X_ATTRIBUTE_FLOAT && attribute->numbers == NULL)
		copy->scalar = true;
	return true;
}

static void attribute_free(ai8x_attribute *attribute)
{
	free((void *)attribute->name);
}

void attribute_list_free(struct attribute_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		attribute_free(&list->items[i]);
	free(list->items);
	*list = (struct attribute_list){0};
}

static ai8x_attribute *attribute_list_seek(const struct attribute_list *list, const char *name)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->items[i].name, name) == 0)
			return &list->items[i];
	return NULL;
}

const ai8x_attribute *attribute_list_find(const struct attribute_list *list, const char *name)
{
	return attribute_list_seek(list, name);
}

ai8x_status attribute_list_set(struct attribute_list *list, const ai8x_attribute *attribute,
                               ai8x_error *error)
{
	if (!attribute_is_valid(attribute))
		return error_set(
			error, AI8X_ERR_ARGUMENT,
			"attribute '%s' has no name, no value, too many values, or values too large for its size",
			attribute->name != NULL ? attribute->name : "");
	ai8x_attribute *old = attribute_list_seek(list, attribute->name);
	if (old == NULL) {
		if (list->count == PROGRAM_MAX_ATTRIBUTES)
			return error_set(error, AI8X_ERR_LIMIT, "attribute '%s': at most %d attributes are accepted",
			                 attribute->name, PROGRAM_MAX_ATTRIBUTES);
		if (!array_reserve(&list->items, &list->capacity, list->count + 1, sizeof *list->items))
			return error_no_memory(error, "an attribute");
	}
	ai8x_attribute copy;
	if (!attribute_copy(&copy, attribute))
		return error_no_memory(error, "an attribute");
	if (old != NULL) {
		attribute_free(old);
		*old = copy;
	} else {
		list->items[list->count++] = copy;
	}
	return AI8X_OK;
}

static const struct attribute_list *list_at(const ai8x_program *program, int position)
{
	if (position < 0)
		return &program->attributes;
	if ((size_t)position >= program->layer_count)
		return NULL;
	return &program->layers[position].attributes;
}

const ai8x_attribute *ai8x_program_attributes(const ai8x_program *program, size_t *count)
{
	if (count != NULL)
		*count = program != NULL ? program->attributes.count : 0;
	return program != NULL ? program->attributes.items : NULL;
}

const ai8x_attribute *ai8x_program_attribute(const ai8x_program *program, int position, const char *name)
{
	if (program == NULL || name == NULL)
		return NULL;
	const struct attribute_list *list = list_at(program, position);
	return list != NULL ? attribute_list_find(list, name) : NULL;
}

int64_t ai8x_program_int(const ai8x_program *program, int position, const char *name, int64_t fallback)
{
	if (program == NULL || name == NULL)
		return fallback;
	const ai8x_attribute *attribute = ai8x_program_attribute(program, position, name);
	return attribute != NULL && attribute->type == AI8X_ATTRIBUTE_INT ? attribute->integers[0] : fallback;
}

const char *ai8x_program_text(const ai8x_program *program, int position, const char *name,
                              const char *fallback)
{
	if (program == NULL || name == NULL)
		return fallback;
	const ai8x_attribute *attribute = ai8x_program_attribute(program, position, name);
	return attribute != NULL && attribute->type == AI8X_ATTRIBUTE_TEXT ? attribute->text : fallback;
}

// These say what the file is; a file that contradicts its own content could not be read again.
static bool is_fixed_attribute(const char *name)
{
	return strcmp(name, "format") == 0 || strcmp(name, "version") == 0 || strcmp(name, "device") == 0;
}

ai8x_status ai8x_program_set_attribute(ai8x_program *program, int position, const ai8x_attribute *attribute,
                                       ai8x_error *error)
{
	if (program == NULL || attribute == NULL)
		return error_null(error, program == NULL ? "program" : "attribute");
	if (position >= 0 && (size_t)position >= program->layer_count)
		return error_set(error, AI8X_ERR_ARGUMENT, "no layer at position %d; the program has %zu", position,
		                 program->layer_count);
	if (position < 0) {
		if (attribute->name != NULL && is_fixed_attribute(attribute->name))
			return error_set(error, AI8X_ERR_ARGUMENT, "attribute '%s' cannot be changed", attribute->name);
		if (attribute->name != NULL && strcmp(attribute->name, "name") == 0 &&
		    attribute->type != AI8X_ATTRIBUTE_TEXT)
			return error_set(error, AI8X_ERR_ARGUMENT, "attribute 'name' must be a text");
		return attribute_list_set(&program->attributes, attribute, error);
	}
	struct program_layer *layer = &program->layers[position];
	ai8x_status status = attribute_list_set(&layer->attributes, attribute, error);
	layer->view.attributes = layer->attributes.items;
	layer->view.attribute_count = layer->attributes.count;
	return status;
}

static ai8x_status set_text(struct attribute_list *list, const char *name, const char *text,
                            ai8x_error *error)
{
	ai8x_attribute attribute = {.name = name, .type = AI8X_ATTRIBUTE_TEXT, .scalar = true, .text = text};
	return attribute_list_set(list, &attribute, error);
}

static ai8x_status set_int(struct attribute_list *list, const char *name, int64_t value, ai8x_error *error)
{
	ai8x_attribute attribute = {
		.name = name, .type = AI8X_ATTRIBUTE_INT, .integers = &value, .count = 1, .scalar = true};
	return attribute_list_set(list, &attribute, error);
}

// The attributes every program has.
static ai8x_status set_identity(ai8x_program *program, const char *name, ai8x_error *error)
{
	struct attribute_list *list = &program->attributes;
	ai8x_status status = set_text(list, "format", "ai8x-program", error);
	if (status == AI8X_OK)
		status = set_int(list, "version", PROGRAM_VERSION, error);
	if (status == AI8X_OK)
		status = set_text(list, "device", ai8x_part_get_info(program->part)->name, error);
	if (status == AI8X_OK)
		status = set_text(list, "name", name, error);
	return status;
}

// --- Programs ----------------------------------------------------------------------------------------

ai8x_status ai8x_program_create(const ai8x_part *part, const char *name, ai8x_program **program,
                                ai8x_error *error)
{
	if (program != NULL)
		*program = NULL;
	if (error_if_null(error, part, name, program))
		return AI8X_ERR_ARGUMENT;
	ai8x_program *created = calloc(1, sizeof *created);
	if (created == NULL)
		return error_no_memory(error, "a program");
	created->part = part;
	ai8x_status status = set_identity(created, name, error);
	if (status != AI8X_OK) {
		ai8x_program_destroy(created);
		return status;
	}
	*program = created;
	return AI8X_OK;
}

void ai8x_program_destroy(ai8x_program *program)
{
	if (program == NULL)
		return;
	for (size_t i = 0; i < program->layer_count; i++) {
		struct program_layer *layer = &program->layers[i];
		attribute_list_free(&layer->attributes);
		free((void *)layer->view.output);
		free((void *)layer->view.memory);
	}
	attribute_list_free(&program->attributes);
	free(program->layers);
	free(program->ops);
	free(program->input);
	free(program->snoop);
	free(program->memory);
	free(program);
}

const ai8x_part *ai8x_program_part(const ai8x_program *program)
{
	if (program == NULL)
		return NULL;
	return program->part;
}

const char *ai8x_program_name(const ai8x_program *program)
{
	if (program == NULL)
		return "";
	return ai8x_program_text(program, -1, "name", "");
}

const ai8x_op *ai8x_program_ops(const ai8x_program *program, size_t *count)
{
	if (count != NULL)
		*count = program != NULL ? program->op_count : 0;
	return program != NULL ? program->ops : NULL;
}

ai8x_status ai8x_program_append(ai8x_program *program, ai8x_op op, ai8x_error *error)
{
	if (program == NULL)
		return error_null(error, "program");
	if (op.kind >= AI8X_BUS_KINDS)
		return error_set(error, AI8X_ERR_ARGUMENT, "operation %zu: unknown kind %u; kinds are 0 to %d",
		                 program->op_count, op.kind, AI8X_BUS_KINDS - 1);
	if (program->op_count == AI8X_PROGRAM_MAX_OPS)
		return error_set(error, AI8X_ERR_LIMIT, "at most %u operations are accepted", AI8X_PROGRAM_MAX_OPS);
	if (!array_reserve(&program->ops, &program->op_capacity, program->op_count + 1, sizeof *program->ops))
		return error_no_memory(error, "operations");
	program->ops[program->op_count++] = op;
	return AI8X_OK;
}

// Product of a shape, or 0 when a dimension is 0 or the product exceeds AI8X_PROGRAM_MAX_VALUES.
static size_t shape_values(const uint32_t shape[3])
{
	uint64_t values = 1;
	for (int i = 0; i < 3; i++) {
		values *= shape[i];
		if (values > AI8X_PROGRAM_MAX_VALUES)
			return 0;
	}
	return (size_t)values;
}

const int32_t *ai8x_program_input(const ai8x_program *program, uint32_t shape[3])
{
	if (program == NULL || shape == NULL)
		return NULL;
	memcpy(shape, program->input_shape, sizeof program->input_shape);
	return program->input;
}

static ai8x_status check_shape(const uint32_t shape[3], const char *what, ai8x_error *error)
{
	if (shape_values(shape) > 0)
		return AI8X_OK;
	bool empty = shape[0] == 0 || shape[1] == 0 || shape[2] == 0;
	return error_set(error, empty ? AI8X_ERR_ARGUMENT : AI8X_ERR_LIMIT,
	                 "%s: %ux%ux%u values; expected 1 to %u", what, shape[0], shape[1], shape[2],
	                 AI8X_PROGRAM_MAX_VALUES);
}

static void *copy_of(const void *data, size_t count, size_t size)
{
	void *copy = array_alloc(count, size);
	if (copy != NULL && count > 0)
		memcpy(copy, data, count * size);
	return copy;
}

ai8x_status ai8x_program_set_input(ai8x_program *program, const int32_t *input, const uint32_t shape[3],
                                   ai8x_error *error)
{
	if (error_if_null(error, program, input, shape))
		return AI8X_ERR_ARGUMENT;
	ai8x_status status = check_shape(shape, "input", error);
	if (status != AI8X_OK)
		return status;
	int32_t *copy = copy_of(input, shape_values(shape), sizeof *copy);
	if (copy == NULL)
		return error_no_memory(error, "an input tensor");
	free(program->input);
	program->input = copy;
	memcpy(program->input_shape, shape, sizeof program->input_shape);
	return AI8X_OK;
}

const uint32_t *ai8x_program_snoop(const ai8x_program *program)
{
	if (program == NULL)
		return NULL;
	return program->snoop;
}

ai8x_status ai8x_program_set_snoop(ai8x_program *program, const uint32_t words[32], ai8x_error *error)
{
	if (program == NULL || words == NULL)
		return error_null(error, program == NULL ? "program" : "words");
	uint32_t *copy = copy_of(words, PROGRAM_SNOOP_WORDS, sizeof *copy);
	if (copy == NULL)
		return error_no_memory(error, "snoop words");
	free(program->snoop);
	program->snoop = copy;
	return AI8X_OK;
}

const uint32_t *ai8x_program_memory(const ai8x_program *program, size_t *words)
{
	if (words != NULL)
		*words = program != NULL ? program->memory_words : 0;
	return program != NULL ? program->memory : NULL;
}

ai8x_status ai8x_program_set_memory(ai8x_program *program, const uint32_t *memory, size_t words,
                                    ai8x_error *error)
{
	if (program == NULL || memory == NULL)
		return error_null(error, program == NULL ? "program" : "memory");
	if (words == 0 || words > AI8X_PROGRAM_MAX_WORDS)
		return error_set(error, AI8X_ERR_ARGUMENT, "%zu memory words; expected 1 to %u", words,
		                 AI8X_PROGRAM_MAX_WORDS);
	uint32_t *copy = copy_of(memory, AI8X_INSTANCES * words, sizeof *copy);
	if (copy == NULL)
		return error_no_memory(error, "data memory");
	free(program->memory);
	program->memory = copy;
	program->memory_words = words;
	return AI8X_OK;
}

// --- Layers ------------------------------------------------------------------------------------------

size_t ai8x_program_layer_count(const ai8x_program *program)
{
	if (program == NULL)
		return 0;
	return program->layer_count;
}

const ai8x_program_layer *ai8x_program_layer_at(const ai8x_program *program, size_t position)
{
	if (program == NULL)
		return NULL;
	return position < program->layer_count ? &program->layers[position].view : NULL;
}

int program_layer_position(const ai8x_program *program, uint32_t register_set)
{
	for (size_t i = 0; i < program->layer_count; i++) {
		const int64_t number = program->layers[i].view.number;
		if (ai8x_program_int(program, (int)i, "hw_layer", number) == (int64_t)register_set)
			return (int)i;
	}
	return -1;
}

uint32_t program_layer_number(const ai8x_program *program, uint32_t register_set)
{
	const int position = program_layer_position(program, register_set);
	if (position >= 0)
		return program->layers[position].view.number;
	return program->layer_count > 0 ? AI8X_PROGRAM_UNRECORDED + register_set : register_set;
}

struct program_layer *program_add_empty_layer(ai8x_program *program, unsigned number)
{
	if (!array_reserve(&program->layers, &program->layer_capacity, program->layer_count + 1,
	                   sizeof *program->layers))
		return NULL;
	struct program_layer *layer = &program->layers[program->layer_count++];
	*layer = (struct program_layer){.view.number = number};
	return layer;
}

static ai8x_status set_layer_order(ai8x_program *program, ai8x_error *error)
{
	int64_t order[AI8X_PROGRAM_MAX_LAYERS];
	for (size_t i = 0; i < program->layer_count; i++)
		order[i] = program->layers[i].view.number;
	ai8x_attribute attribute = {.name = "order",
	                            .type = AI8X_ATTRIBUTE_INT,
	                            .integers = order,
	                            .count = program->layer_count,
	                            .bytes = 4};
	ai8x_status status = attribute_list_set(&program->attributes, &attribute, error);
	if (status == AI8X_OK)
		status = set_int(&program->attributes, "layers", (int64_t)program->layer_count, error);
	return status;
}

ai8x_status ai8x_program_add_layer(ai8x_program *program, unsigned number, const int32_t *output,
                                   const uint32_t shape[3], const ai8x_word *memory, size_t memory_count,
                                   ai8x_error *error)
{
	if (program == NULL)
		return error_null(error, "program");
	if (output != NULL && shape == NULL)
		return error_null(error, "shape");
	if (memory == NULL && memory_count > 0)
		return error_null(error, "memory");
	if (number >= AI8X_PROGRAM_MAX_LAYERS || program->layer_count == AI8X_PROGRAM_MAX_LAYERS)
		return error_set(error, AI8X_ERR_LIMIT, "layer %u: at most %u layers are accepted", number,
		                 AI8X_PROGRAM_MAX_LAYERS);
	for (size_t i = 0; i < program->layer_count; i++)
		if (program->layers[i].view.number == number)
			return error_set(error, AI8X_ERR_ARGUMENT, "layer %u exists already", number);
	if (memory_count > AI8X_PROGRAM_MAX_WORDS)
		return error_set(error, AI8X_ERR_LIMIT, "layer %u: at most %u memory words are accepted", number,
		                 AI8X_PROGRAM_MAX_WORDS);
	if (output != NULL) {
		char what[32];
		(void)snprintf(what, sizeof what, "layer %u: output", number);
		ai8x_status status = check_shape(shape, what, error);
		if (status != AI8X_OK)
			return status;
	}

	struct program_layer *layer = program_add_empty_layer(program, number);
	if (layer == NULL)
		return error_no_memory(error, "a layer");
	ai8x_status status = AI8X_OK;
	if (output != NULL) {
		memcpy(layer->view.shape, shape, sizeof layer->view.shape);
		layer->view.output = copy_of(output, shape_values(shape), sizeof *output);
		if (layer->view.output == NULL)
			status = error_no_memory(error, "a layer's output");
	}
	if (status == AI8X_OK && memory != NULL) {
		layer->view.memory_count = memory_count;
		layer->view.memory = copy_of(memory, memory_count, sizeof *memory);
		if (layer->view.memory == NULL)
			status = error_no_memory(error, "a layer's memory words");
	}
	if (status == AI8X_OK)
		status = set_int(&layer->attributes, "position", (int64_t)program->layer_count - 1, error);
	if (status == AI8X_OK)
		status = set_layer_order(program, error);
	layer->view.attributes = layer->attributes.items;
	layer->view.attribute_count = layer->attributes.count;
	if (status != AI8X_OK) {
		attribute_list_free(&layer->attributes);
		free((void *)layer->view.output);
		free((void *)layer->view.memory);
		program->layer_count--;
	}
	return status;
}

ai8x_status program_check_ops(const ai8x_program *program, const char *path, ai8x_error *error)
{
	size_t runs = 0, first = 0;
	for (size_t i = 0; i < program->op_count; i++) {
		uint8_t kind = program->ops[i].kind;
		if (kind >= AI8X_BUS_KINDS)
			return error_set(error, AI8X_ERR_FORMAT,
			                 "%s: /program: operation %zu has the unknown kind %u; kinds are 0 to %d", path,
			                 i, kind, AI8X_BUS_KINDS - 1);
		if (kind != AI8X_BUS_RUN)
			continue;
		if (runs++ == 0)
			first = i;
		else
			return error_set(error, AI8X_ERR_FORMAT,
			                 "%s: /program: operation %zu is a second RUN (the first is operation %zu); "
			                 "exactly one is expected",
			                 path, i, first);
	}
	if (runs == 0)
		return error_set(error, AI8X_ERR_FORMAT,
		                 "%s: /program: none of the %zu operations is a RUN; exactly one is expected", path,
		                 program->op_count);
	return AI8X_OK;
}
