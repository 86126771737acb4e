// ai8xsim regs: the address map of a part, its registers, and what an address or a written value means.
#include "cli.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MAX_FIELDS 40

struct regs_options {
	const ai8x_part *part;
	const char *json;
	struct cli_words asked;
};

#define AT(member) offsetof(struct regs_options, member)

static const struct cli_option option_rows[] = {
	{"part", 0, "NAME", CLI_PART, AT(part), "MAX78000 (default) or MAX78002", 1},
	{"device", 0, NULL, CLI_ALIAS, 0, NULL, 1},
	{"json", 0, "FILE", CLI_WRITES, AT(json),
     "Write the whole map as JSON; - for standard output, in place of the text", 2},
	{0},
};

static void check_line(const struct argp_state *state, void *settings)
{
	const struct regs_options *options = settings;
	if (options->json != NULL && options->asked.count > 0)
		argp_error(state, "--json writes the whole map; leave out '%s'", options->asked.word[0]);
}

static const struct cli_line command_line = {
	.options = option_rows,
	.takes = CLI_ANY,
	.target = AT(asked),
	.check = check_line,
	.words = "[REGISTER|ADDRESS|REGISTER=VALUE|ADDRESS=VALUE]...",
	.doc = "Shows the memories and registers of a part, or explains registers, addresses and values.\v"
		   "Examples:\n"
		   "  ai8xsim regs --part MAX78002          the whole map\n"
		   "  ai8xsim regs LCTL                     the fields of a register\n"
		   "  ai8xsim regs 0x50403210               what lies there?\n"
		   "  ai8xsim regs WPTR_BASE=0x8021         what does this value set?\n"
		   "\n"
		   "Exit status: 0 all of it is known, 2 usage, 3 there is no such register or address.",
};

// --- The whole map -----------------------------------------------------------------------------------

static const char *access_text(const ai8x_region *region)
{
	return region->read_only ? "read" : region->write_only ? "write" : "";
}

static int print_memories(const ai8x_part *part)
{
	struct cli_table *table = cli_table_create("lrrrrrr");
	static const char *const titles[] = {"memory", "address", "next unit", "next group",
	                                     "units",  "words",   "bytes"};
	for (size_t i = 0; i < sizeof titles / sizeof titles[0]; i++)
		cli_table_cell(table, CLI_PLAIN, "%s", titles[i]);
	ai8x_region region;
	for (size_t i = 0; ai8x_part_region(part, i, &region); i++) {
		if (!region.memory)
			continue;
		char words[32], most[32];
		cli_table_cell(table, CLI_BOLD, "%s", region.name);
		cli_table_cell(table, CLI_PLAIN, "0x%08x", region.address);
		if (region.count > 1)
			cli_table_cell(table, CLI_PLAIN, "+0x%x", region.stride);
		else
			cli_table_cell(table, CLI_PLAIN, "-");
		cli_table_cell(table, CLI_PLAIN, "+0x%x", region.group_stride);
		cli_table_cell(table, CLI_PLAIN, "%u x %u", region.groups, region.count);
		if (region.words_first != region.words)
			cli_table_cell(table, CLI_PLAIN, "%s to %s", cli_thousands(region.words, words),
			               cli_thousands(region.words_first, most));
		else
			cli_table_cell(table, CLI_PLAIN, "%s", cli_thousands(region.words, words));
		cli_table_cell(table, CLI_PLAIN, "%u", region.word_bytes);
	}
	int code = cli_table_print(table, stdout);
	cli_table_destroy(table);
	return code;
}

static int print_registers(const ai8x_part *part)
{
	struct cli_table *table = cli_table_create("llrrrrrl");
	static const char *const titles[] = {"register", "one each",   "address", "next",
	                                     "count",    "next group", "reset",   ""};
	for (size_t i = 0; i < sizeof titles / sizeof titles[0]; i++)
		cli_table_cell(table, CLI_PLAIN, "%s", titles[i]);
	ai8x_region region;
	for (size_t i = 0; ai8x_part_region(part, i, &region); i++) {
		if (region.memory)
			continue;
		cli_table_cell(table, CLI_BOLD, "%s", region.name);
		// "group register": the word that differs.
		cli_table_cell(table, CLI_PLAIN, "%.*s", (int)strcspn(region.kind, " "), region.kind);
		cli_table_cell(table, CLI_PLAIN, "0x%08x", region.address);
		if (region.count > 1)
			cli_table_cell(table, CLI_PLAIN, "+0x%x", region.stride);
		else
			cli_table_cell(table, CLI_PLAIN, "-");
		cli_table_cell(table, CLI_PLAIN, "%u", region.count);
		if (region.groups > 1)
			cli_table_cell(table, CLI_PLAIN, "+0x%x", region.group_stride);
		else
			cli_table_cell(table, CLI_PLAIN, "-");
		cli_table_cell(table, CLI_PLAIN, "0x%x", region.reset);
		cli_table_cell(table, CLI_DIM, "%s", access_text(&region));
	}
	int code = cli_table_print(table, stdout);
	cli_table_destroy(table);
	return code;
}

static int print_map(const ai8x_part *part)
{
	(void)printf("%s: bus addresses are those of group 0 and unit 0\n\n", ai8x_part_get_info(part)->name);
	int code = print_memories(part);
	(void)printf("\n");
	code = cli_worse(code, print_registers(part));
	if (code != CLI_OK)
		cli_error("out of memory for the map");
	return code;
}

static json_t *fields_json(const ai8x_part *part, uint32_t address)
{
	ai8x_field fields[MAX_FIELDS];
	size_t count = ai8x_part_fields(part, address, fields, MAX_FIELDS);
	json_t *array = json_array();
	for (size_t i = 0; i < count && i < MAX_FIELDS; i++)
		json_push(array,
		          json_pack("{s:s,s:I,s:I,s:s}", "name", fields[i].name, "low", (json_int_t)fields[i].low,
		                    "width", (json_int_t)fields[i].width, "meaning", fields[i].meaning));
	return array;
}

static int write_map(const ai8x_part *part, const char *path)
{
	json_t *memories = json_array(), *registers = json_array();
	ai8x_region region;
	for (size_t i = 0; ai8x_part_region(part, i, &region); i++) {
		json_t *entry =
			json_pack("{s:s,s:I,s:I,s:I,s:I,s:I}", "name", region.name, "address", (json_int_t)region.address,
		              "stride", (json_int_t)region.stride, "count", (json_int_t)region.count, "groups",
		              (json_int_t)region.groups, "group_stride", (json_int_t)region.group_stride);
		if (region.memory) {
			json_merge(entry, json_pack("{s:I,s:I,s:I}", "words", (json_int_t)region.words, "words_first",
			                            (json_int_t)region.words_first, "word_bytes",
			                            (json_int_t)region.word_bytes));
			json_push(memories, entry);
		} else {
			json_merge(entry,
			           json_pack("{s:s,s:I,s:b,s:b,s:o}", "kind", region.kind, "reset",
			                     (json_int_t)region.reset, "read_only", (int)region.read_only, "write_only",
			                     (int)region.write_only, "fields", fields_json(part, region.address)));
			json_push(registers, entry);
		}
	}
	json_t *root = json_pack("{s:i,s:s,s:o,s:o}", "version", 1, "part", ai8x_part_get_info(part)->name,
	                         "memories", memories, "registers", registers);
	int code = cli_write_json(path, root);
	json_decref(root);
	return code;
}

// --- One register, address or value ------------------------------------------------------------------

static bool find_register(const ai8x_part *part, const char *name, uint32_t *address)
{
	ai8x_region region;
	for (size_t i = 0; ai8x_part_region(part, i, &region); i++) {
		if (!region.memory && strcasecmp(region.name, name) == 0) {
			*address = region.address;
			return true;
		}
	}
	return false;
}

static void print_field(const ai8x_field *field, const uint32_t *value)
{
	char bits[16], text[32] = "";
	if (field->width == 1)
		(void)snprintf(bits, sizeof bits, "%u", field->low);
	else
		(void)snprintf(bits, sizeof bits, "%u:%u", field->low + field->width - 1, field->low);
	if (value != NULL) {
		uint32_t mask = field->width == 32 ? UINT32_MAX : (UINT32_C(1) << field->width) - 1;
		uint32_t set = *value >> field->low & mask;
		(void)snprintf(text, sizeof text, set < 10 ? "%u" : "%u (0x%x)", set, set);
	}
	const int room = value != NULL ? 18 : 0;
	cli_paragraph(stdout, (size_t)room + 29, "  %5s  %-19s %-*s%s%s", bits, field->name, room, text,
	              value != NULL ? " " : "", field->meaning);
}

// Pointers are what people ask about: where in data memory, and at which bus address.
static void print_pointer(const ai8x_part *part, const char *name, const ai8x_field *fields, size_t count,
                          uint32_t value)
{
	uint32_t word = 0, instance = 0;
	if (strcmp(name, "WPTR_BASE") != 0 && strcmp(name, "RPTR_BASE") != 0)
		return;
	for (size_t i = 0; i < count; i++) {
		uint32_t set = value >> fields[i].low & ((UINT32_C(1) << fields[i].width) - 1);
		if (strcmp(fields[i].name, "instance") == 0)
			instance = set;
		else
			word = set;
	}
	bool writes = name[0] == 'W';
	if (instance >= AI8X_INSTANCES || word >= ai8x_part_get_info(part)->data_words) {
		(void)printf("  outside of data memory: there is no word 0x%x in instance %u\n", word, instance);
		return;
	}
	if (writes)
		cli_paragraph(
			stdout, 4,
			"  writes from byte offset 0x%04x of data memory instance %u (group %u, processors %u to %u): "
			"bus address 0x%08x",
			4 * word, instance, instance / 4, 4 * instance, 4 * instance + 3,
			ai8x_part_data_address(part, instance, word));
	else
		cli_paragraph(
			stdout, 4,
			"  reads from byte offset 0x%04x of every instance that its processors use: instance 0 at "
			"bus address 0x%08x",
			4 * word, ai8x_part_data_address(part, 0, word));
}

static int explain_address(const ai8x_part *part, uint32_t address, const uint32_t *value)
{
	ai8x_location location;
	if (ai8x_part_locate(part, address, &location) != AI8X_OK) {
		cli_error("0x%08x: the %s has nothing there", address, ai8x_part_get_info(part)->name);
		return CLI_BAD_INPUT;
	}
	(void)printf("0x%08x", address);
	if (value != NULL)
		(void)printf(" = 0x%08x", *value);
	(void)printf("  %s%s%s", cli_style(stdout, CLI_BOLD),
	             location.name != NULL ? location.name : location.region, cli_style(stdout, CLI_PLAIN));
	if (location.layer >= 0)
		(void)printf(" layer %d", location.layer);
	if (location.group >= 0)
		(void)printf(" group %d", location.group);
	if (location.name != NULL) {
		if (location.unit >= 0)
			(void)printf(" unit %d", location.unit);
		(void)printf(" (%s)\n", location.region);
	} else if (strcmp(location.region, "bias memory") == 0) {
		(void)printf(" entry %u\n", location.word);
	} else {
		bool data = strcmp(location.region, "data memory") == 0;
		(void)printf(" %s %d word 0x%04x", data ? "instance" : "processor", location.unit, location.word);
		if (data)
			(void)printf(": byte offset 0x%04x, processors %d to %d", 4 * location.word, 4 * location.unit,
			             4 * location.unit + 3);
		(void)printf("\n");
	}
	ai8x_field fields[MAX_FIELDS];
	size_t count = ai8x_part_fields(part, address, fields, MAX_FIELDS);
	for (size_t i = 0; i < count && i < MAX_FIELDS; i++)
		print_field(&fields[i], value);
	if (value != NULL && location.name != NULL)
		print_pointer(part, location.name, fields, count < MAX_FIELDS ? count : MAX_FIELDS, *value);
	return CLI_OK;
}

static int unknown_register(const ai8x_part *part, const char *name)
{
	const char *names[128];
	size_t count = 0;
	ai8x_region region;
	for (size_t i = 0; ai8x_part_region(part, i, &region); i++)
		if (!region.memory && count < sizeof names / sizeof names[0])
			names[count++] = region.name;
	const char *nearest = cli_nearest(name, names, count, sizeof names[0]);
	if (nearest != NULL)
		cli_error("the %s has no register '%s'; did you mean '%s'?", ai8x_part_get_info(part)->name, name,
		          nearest);
	else
		cli_error("the %s has no register '%s'; 'ai8xsim regs' lists them", ai8x_part_get_info(part)->name,
		          name);
	return CLI_BAD_INPUT;
}

static int explain(const ai8x_part *part, const char *word)
{
	char name[64];
	size_t length = strcspn(word, "=");
	uint64_t number, address_number;
	uint32_t value, address;
	if (length == 0 || length >= sizeof name) {
		cli_error("'%s' is neither a register nor an address", word);
		return CLI_USAGE;
	}
	memcpy(name, word, length);
	name[length] = '\0';
	if (word[length] == '=') {
		if (!cli_number(word + length + 1, UINT32_MAX, &number)) {
			cli_error("'%s': the value has to be a number of 32 bits, such as 0x8021", word);
			return CLI_USAGE;
		}
		value = (uint32_t)number;
	}
	if (cli_number(name, UINT32_MAX, &address_number))
		address = (uint32_t)address_number;
	else if (name[0] >= '0' && name[0] <= '9') {
		cli_error("'%s' is no address of 32 bits", name);
		return CLI_USAGE;
	} else if (!find_register(part, name, &address))
		return unknown_register(part, name);
	return explain_address(part, address, word[length] == '=' ? &value : NULL);
}

int cmd_regs(int argc, char **argv)
{
	struct regs_options options = {.part = cli_default_part()};
	cli_parse(&command_line, argc, argv, NULL, &options);
	if (options.json != NULL)
		return write_map(options.part, options.json);
	if (options.asked.count == 0)
		return print_map(options.part);
	int code = CLI_OK;
	for (size_t i = 0; i < options.asked.count; i++)
		code = cli_worse(code, explain(options.part, options.asked.word[i]));
	return code;
}
