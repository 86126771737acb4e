// ai8xsim info: what a program configures, in words: layers as sentences, registers field by field.
#include "cli.h"
#include "cli_guard.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define MAX_FIELDS 40

struct info_options {
	const ai8x_part *part;
	const char *json;
	bool layers_only, registers_only;
	int layer; // only this one, or -1
	struct cli_words programs;
};

#define AT(member) offsetof(struct info_options, member)

static const struct cli_option option_rows[] = {
	{"layers", 'l', NULL, CLI_FLAG, AT(layers_only), "Describe the layers, without registers", 1},
	{"registers", 'r', NULL, CLI_FLAG, AT(registers_only), "List the register writes, without layers", 1},
	{"layer", 'L', "N", CLI_INT, AT(layer), "Show only layer N and its registers", 1, 0, AI8X_MAX_LAYERS - 1},
	{"part", 0, "NAME", CLI_PART, AT(part), "The part of .mem files: MAX78000 or MAX78002", 2},
	{"json", 0, "FILE", CLI_WRITES, AT(json),
     "Write everything as JSON; - for standard output, in place of the text", 3},
	{0},
};

static void check_line(const struct argp_state *state, void *settings)
{
	const struct info_options *options = settings;
	if (options->layers_only && options->registers_only)
		argp_error(state, "--layers and --registers exclude each other");
}

static const struct cli_line command_line = {
	.options = option_rows,
	.words = "PROGRAM...",
	.takes = CLI_SOME,
	.target = AT(programs),
	.none = "no program given",
	.check = check_line,
	.doc = "Explains programs: every layer in a sentence, every register write field by field.\v"
		   "Examples:\n"
		   "  ai8xsim info program.h5                 everything\n"
		   "  ai8xsim info --layers program.h5        what does each layer do?\n"
		   "  ai8xsim info --layer 4 program.h5       one layer and its registers\n"
		   "  ai8xsim info --part MAX78000 apb.mem    a block-level stimulus file\n"
		   "  ai8xsim info --json - program.h5        for scripts\n"
		   "\n"
		   "Exit status: 0 done, 2 usage, 3 bad input, 5 out of resources.",
};

// A program on a machine that has been configured but has not run.
struct subject {
	const char *path;
	ai8x_program *program;
	ai8x_machine *machine;
	uint32_t layers[AI8X_MAX_LAYERS];
	size_t layer_count;
};

static ai8x_status subject_open(struct subject *subject, const struct info_options *options,
                                ai8x_error *error)
{
	const ai8x_program_options open_options = {.part = options->part, .skip_results = true};
	ai8x_status status = cli_open_image(subject->path, &open_options, &subject->program, error);
	if (status == AI8X_OK)
		status = ai8x_machine_create(ai8x_program_part(subject->program), NULL, &subject->machine, error);
	if (status == AI8X_OK)
		status = ai8x_runner_load(subject->machine, subject->program, error);
	if (status != AI8X_OK)
		return status;
	size_t count = ai8x_machine_sequence(subject->machine, subject->layers, AI8X_MAX_LAYERS);
	subject->layer_count = count;
	return AI8X_OK;
}

static void subject_close(struct subject *subject)
{
	ai8x_machine_destroy(subject->machine);
	ai8x_program_destroy(subject->program);
}

// A register write worth showing.
struct write {
	ai8x_op op;
	ai8x_location location;
	size_t field_count;
	ai8x_field fields[MAX_FIELDS];
};

static bool decode_write(const struct subject *subject, const struct info_options *options, const ai8x_op *op,
                         struct write *write)
{
	const ai8x_part *part = ai8x_program_part(subject->program);
	if (op->kind != AI8X_BUS_WRITE32 || ai8x_part_locate(part, op->address, &write->location) != AI8X_OK ||
	    write->location.name == NULL)
		return false;
	if (options->layer >= 0 && write->location.layer != options->layer)
		return false;
	write->op = *op;
	write->field_count = ai8x_part_fields(part, op->address, write->fields, MAX_FIELDS);
	if (write->field_count > MAX_FIELDS)
		write->field_count = MAX_FIELDS;
	return true;
}

static uint32_t field_value(const ai8x_field *field, uint32_t word)
{
	uint32_t mask = field->width == 32 ? UINT32_MAX : (UINT32_C(1) << field->width) - 1;
	return word >> field->low & mask;
}

static void register_name(const ai8x_location *location, char *text, size_t size)
{
	size_t length = (size_t)snprintf(text, size, "%s", location->name);
	if (location->layer >= 0 && length < size)
		length += (size_t)snprintf(text + length, size - length, " layer %d", location->layer);
	if (location->unit >= 0 && length < size)
		length += (size_t)snprintf(text + length, size - length, " #%d", location->unit);
	if (location->group >= 0 && length < size)
		(void)snprintf(text + length, size - length, " group %d", location->group);
}

static void print_field(const ai8x_field *field, uint32_t word)
{
	uint32_t value = field_value(field, word);
	char bits[16], text[32];
	if (field->width == 1)
		(void)snprintf(bits, sizeof bits, "%u", field->low);
	else
		(void)snprintf(bits, sizeof bits, "%u:%u", field->low + field->width - 1, field->low);
	(void)snprintf(text, sizeof text, value < 10 ? "%u" : "%u (0x%x)", value, value);
	cli_paragraph(stdout, 45, "      %5s  %-16s %-14s %s%s%s", bits, field->name, text,
	              cli_style(stdout, CLI_DIM), field->meaning, cli_style(stdout, CLI_PLAIN));
}

static void print_registers(const struct subject *subject, const struct info_options *options)
{
	size_t count;
	const ai8x_op *ops = ai8x_program_ops(subject->program, &count);
	(void)printf("\n%sRegister writes%s (fields that are 0 are left out)\n", cli_style(stdout, CLI_BOLD),
	             cli_style(stdout, CLI_PLAIN));
	for (size_t i = 0; i < count; i++) {
		struct write write;
		if (!decode_write(subject, options, &ops[i], &write))
			continue;
		char name[96];
		register_name(&write.location, name, sizeof name);
		(void)printf("  0x%08x = 0x%08x  %s%s%s\n", write.op.address, write.op.value,
		             cli_style(stdout, CLI_BOLD), name, cli_style(stdout, CLI_PLAIN));
		for (size_t f = 0; f < write.field_count; f++)
			if (field_value(&write.fields[f], write.op.value) != 0)
				print_field(&write.fields[f], write.op.value);
	}
}

static void print_layers(const struct subject *subject, const struct info_options *options)
{
	for (size_t i = 0; i < subject->layer_count; i++) {
		ai8x_layer layer;
		ai8x_error error;
		if (options->layer >= 0 && subject->layers[i] != (uint32_t)options->layer)
			continue;
		char text[1024];
		const bool known =
			ai8x_machine_decode(subject->machine, subject->layers[i], &layer, &error) == AI8X_OK;
		if (known)
			(void)ai8x_layer_describe(&layer, text, sizeof text);
		else
			(void)snprintf(text, sizeof text, "cannot be executed: %s", error.message);
		text_make_plain(text);
		cli_paragraph(stdout, 4, "  %slayer %u:%s %s%s%s", cli_style(stdout, CLI_BOLD), subject->layers[i],
		              cli_style(stdout, CLI_PLAIN), known ? "" : cli_style(stdout, CLI_RED), text,
		              known ? "" : cli_style(stdout, CLI_PLAIN));
	}
}

static void print_operations(const struct subject *subject)
{
	size_t count, kinds[AI8X_BUS_KINDS] = {0};
	const ai8x_op *ops = ai8x_program_ops(subject->program, &count);
	for (size_t i = 0; i < count; i++)
		kinds[ops[i].kind]++;
	(void)printf("  %zu operations:", count);
	const char *separator = " ";
	for (unsigned k = 0; k < AI8X_BUS_KINDS; k++) {
		if (kinds[k] == 0)
			continue;
		(void)printf("%s%zu %s", separator, kinds[k], ai8x_op_kind_name(k));
		separator = ", ";
	}
	(void)printf("\n");
}

static void print_subject(const struct subject *subject, const struct info_options *options)
{
	const ai8x_program *program = subject->program;
	char path[CLI_CLEAN_BYTES], name[CLI_CLEAN_BYTES];
	(void)printf("%s%s%s: %s, %s, %zu layer%s\n", cli_style(stdout, CLI_BOLD), cli_clean(subject->path, path),
	             cli_style(stdout, CLI_PLAIN), cli_clean(ai8x_program_name(program), name),
	             ai8x_part_get_info(ai8x_program_part(program))->name, subject->layer_count,
	             subject->layer_count == 1 ? "" : "s");
	if (options->layer < 0)
		print_operations(subject);
	if (!options->registers_only)
		print_layers(subject, options);
	if (!options->layers_only)
		print_registers(subject, options);
}

static json_t *layers_json(const struct subject *subject, const struct info_options *options)
{
	json_t *layers = json_array();
	for (size_t i = 0; i < subject->layer_count; i++) {
		ai8x_layer layer;
		ai8x_error error;
		char text[1024];
		if (options->layer >= 0 && subject->layers[i] != (uint32_t)options->layer)
			continue;
		if (ai8x_machine_decode(subject->machine, subject->layers[i], &layer, &error) != AI8X_OK) {
			json_push(layers, json_pack("{s:I,s:o}", "layer", (json_int_t)subject->layers[i], "error",
			                            json_text(error.message)));
			continue;
		}
		(void)ai8x_layer_describe(&layer, text, sizeof text);
		text_make_plain(text);
		json_push(layers,
		          json_pack("{s:I,s:s,s:o,s:I,s:I,s:I,s:[i,i],s:[i,i],s:[i,i],s:[i,i],s:i,s:b,s:I}", "layer",
		                    (json_int_t)layer.index, "operation", ai8x_operation_name(layer.operation),
		                    "text", json_text(text), "passes", (json_int_t)layer.passes, "operands",
		                    (json_int_t)layer.operands, "slots", (json_int_t)ai8x_layer_output_slots(&layer),
		                    "input", (int)layer.rows, (int)layer.columns, "pooled", (int)layer.pooled_rows,
		                    (int)layer.pooled_columns, "output", (int)layer.output_rows,
		                    (int)layer.output_columns, "kernel", (int)layer.kernel_rows,
		                    (int)layer.kernel_columns, "output_bits", (int)layer.output_bits, "streaming",
		                    (int)layer.streaming, "macs", (json_int_t)ai8x_layer_macs(&layer)));
	}
	return layers;
}

static json_t *registers_json(const struct subject *subject, const struct info_options *options)
{
	size_t count;
	const ai8x_op *ops = ai8x_program_ops(subject->program, &count);
	json_t *registers = json_array();
	for (size_t i = 0; i < count; i++) {
		struct write write;
		if (!decode_write(subject, options, &ops[i], &write))
			continue;
		json_t *fields = json_object();
		for (size_t f = 0; f < write.field_count; f++)
			json_put(fields, write.fields[f].name,
			         json_integer((json_int_t)field_value(&write.fields[f], write.op.value)));
		json_push(registers,
		          json_pack("{s:I,s:I,s:s,s:i,s:i,s:i,s:o}", "address", (json_int_t)write.op.address, "value",
		                    (json_int_t)write.op.value, "register", write.location.name, "group",
		                    write.location.group, "layer", write.location.layer, "unit", write.location.unit,
		                    "fields", fields));
	}
	return registers;
}

// Layers that are set up and then never reached are worth showing.
static bool knows_layer(const struct subject *subject, const struct info_options *options)
{
	for (size_t i = 0; i < subject->layer_count; i++)
		if (subject->layers[i] == (uint32_t)options->layer)
			return true;
	size_t count;
	const ai8x_op *ops = ai8x_program_ops(subject->program, &count);
	for (size_t i = 0; i < count; i++) {
		struct write write;
		if (decode_write(subject, options, &ops[i], &write))
			return true;
	}
	return false;
}

static json_t *subject_json(const struct subject *subject, const struct info_options *options)
{
	json_t *root = json_pack("{s:o,s:o,s:s}", "file", json_text(subject->path), "name",
	                         json_text(ai8x_program_name(subject->program)), "part",
	                         ai8x_part_get_info(ai8x_program_part(subject->program))->name);
	if (!options->registers_only)
		json_put(root, "layers", layers_json(subject, options));
	if (!options->layers_only)
		json_put(root, "registers", registers_json(subject, options));
	return root;
}

int cmd_info(int argc, char **argv)
{
	struct info_options options = {.layer = -1};
	cli_parse(&command_line, argc, argv, NULL, &options);
	int code = CLI_OK;
	json_t *programs = json_array();
	for (size_t i = 0; i < options.programs.count; i++) {
		struct subject subject = {.path = options.programs.word[i]};
		ai8x_error error = {0};
		if (subject_open(&subject, &options, &error) != AI8X_OK) {
			code = cli_worse(code, cli_fail(subject.path, &error));
		} else if (options.layer >= 0 && !knows_layer(&subject, &options)) {
			cli_error("%s: layer %d is not set up and does not run", subject.path, options.layer);
			code = cli_worse(code, CLI_USAGE);
		} else {
			if (options.json == NULL || strcmp(options.json, "-") != 0) {
				if (i > 0)
					(void)printf("\n");
				print_subject(&subject, &options);
			}
			if (options.json != NULL)
				json_push(programs, subject_json(&subject, &options));
		}
		subject_close(&subject);
	}
	if (options.json != NULL) {
		json_t *root = json_pack("{s:i,s:O}", "version", 1, "programs", programs);
		code = cli_worse(code, cli_write_json(options.json, root));
		json_decref(root);
	}
	json_decref(programs);
	return code;
}
