// The description of a board: a YAML file, read over the wiring of the vendor's boards.
#include "firmware/devices.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <yaml.h>

#include "base/error.h"
#include "base/file.h"

#define MOST_BYTES ((long)1 << 20)
#define MOST_ANSWERS 1024
#define KIT_BUTTONS 2 // their port

void description_default(struct description *description, const char *part)
{
	// Kits of both parts, of which the MAX78002's calls its buttons SW4 and SW5, and the feather board.
	static const struct button buttons[] = {
		{"SW1", {KIT_BUTTONS, 6}, false}, {"SW2", {KIT_BUTTONS, 7}, false}, {"SW4", {KIT_BUTTONS, 6}, false},
		{"SW5", {KIT_BUTTONS, 7}, false}, {"SW1", {0, 2}, false},           {"SW2", {1, 7}, false},
	};
	*description = (struct description){.display_bus = 0, .card_bus = ANY_BUS, .display_select = 0};
	// Evaluation kits and feather boards drive the camera's bus by hand.
	description->wires[0] = (struct wires){{0, 30}, {0, 31}};
	description->wires[1] = (struct wires){{0, 16}, {0, 17}};
	description->wire_count = 2;
	const bool large = strcmp(part, "MAX78002") == 0;
	description->display_data = large ? (struct pin){2, 2} : (struct pin){0, 8};
	for (size_t i = 0; i < sizeof buttons / sizeof buttons[0]; i++)
		if (!large || buttons[i].pin.port == KIT_BUTTONS)
			description->buttons[description->button_count++] = buttons[i];
	// The feather board's power manager: firmware of that board asks for its revision before anything else.
	if (!large)
		description->scripts[description->script_count++] = (struct board_script){
			.bus = 1, .address = 0x28, .script = {.key_bytes = 1, .storage = {[0] = 0x02}}};
}

static bool parse_pin(const char *text, struct pin *pin)
{
	unsigned port = 0, number = 0;
	char rest = 0;
	if ((sscanf(text, "P%u.%u%c", &port, &number, &rest) != 2 &&
	     sscanf(text, "GPIO%u.%u%c", &port, &number, &rest) != 2) ||
	    port > 3 || number > 31)
		return false;
	*pin = (struct pin){(uint8_t)port, (uint8_t)number};
	return true;
}

bool description_pin(const struct description *description, const char *text, struct pin *pin,
                     const struct button **button)
{
	*button = NULL;
	for (size_t i = 0; i < description->button_count; i++) {
		struct pin named;
		const struct button *one = &description->buttons[i];
		if (strcasecmp(one->name, text) != 0 &&
		    !(parse_pin(text, &named) && named.port == one->pin.port && named.number == one->pin.number))
			continue;
		*button = one;
		*pin = one->pin;
		return true;
	}
	return parse_pin(text, pin);
}

void description_release(struct description *description)
{
	char **const texts[] = {&description->camera_chip, &description->camera, &description->display_controller,
	                        &description->display,     &description->card,   &description->card_out,
	                        &description->sound,       &description->gpio};
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		free(*texts[i]);
		*texts[i] = NULL;
	}
	for (size_t i = 0; i < description->script_count; i++)
		script_release(&description->scripts[i].script);
	description->script_count = 0;
}

// ---- YAML ----

struct reader {
	const char *path;
	yaml_document_t document;
	struct description *description;
	ai8x_error *error;
};

static ai8x_status refuse(const struct reader *reader, const yaml_node_t *node, const char *what,
                          const char *detail)
{
	return error_set(reader->error, AI8X_ERR_FORMAT, "%s: line %zu: %s%s", reader->path,
	                 node != NULL ? node->start_mark.line + 1 : 1, what, detail);
}

static const char *text_of(const yaml_node_t *node)
{
	return node != NULL && node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value : NULL;
}

struct key {
	const char *name;
	ai8x_status (*read)(struct reader *reader, const yaml_node_t *node, void *target);
	size_t offset;          // in the target
	const struct key *keys; // of a group of names in the same target, instead of read
};

static ai8x_status read_mapping(struct reader *reader, const yaml_node_t *node, const struct key *keys,
                                void *target)
{
	if (node == NULL || node->type != YAML_MAPPING_NODE)
		return refuse(reader, node, "expected names and values", "");
	for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top;
	     pair++) {
		const yaml_node_t *name = yaml_document_get_node(&reader->document, pair->key);
		const yaml_node_t *value = yaml_document_get_node(&reader->document, pair->value);
		const struct key *key = keys;
		while (key->name != NULL && (text_of(name) == NULL || strcmp(key->name, text_of(name)) != 0))
			key++;
		if (key->name == NULL)
			return refuse(reader, name, "unknown name: ", text_of(name) != NULL ? text_of(name) : "");
		ai8x_status status = key->keys != NULL ? read_mapping(reader, value, key->keys, target)
		                                       : key->read(reader, value, (char *)target + key->offset);
		if (status != AI8X_OK)
			return status;
	}
	return AI8X_OK;
}

static ai8x_status read_text(struct reader *reader, const yaml_node_t *node, void *target)
{
	char **text = target;
	if (text_of(node) == NULL)
		return refuse(reader, node, "expected a text", "");
	free(*text);
	*text = strdup(text_of(node));
	return *text != NULL ? AI8X_OK : error_no_memory(reader->error, reader->path);
}

// The name of a file, relative to the folder of the description.
static ai8x_status read_path(struct reader *reader, const yaml_node_t *node, void *target)
{
	char **path = target, *whole = NULL;
	ai8x_status status = read_text(reader, node, path);
	const char *slash = strrchr(reader->path, '/');
	if (status != AI8X_OK || **path == '/' || slash == NULL)
		return status;
	if (asprintf(&whole, "%.*s/%s", (int)(slash - reader->path), reader->path, *path) < 0)
		return error_no_memory(reader->error, reader->path);
	free(*path);
	*path = whole;
	return AI8X_OK;
}

static bool parse_number(const yaml_node_t *node, unsigned long most, unsigned long *number)
{
	const char *text = text_of(node);
	char *end = NULL;
	errno = 0;
	*number = text != NULL ? strtoul(text, &end, 0) : 0;
	return text != NULL && *text >= '0' && *text <= '9' && *end == 0 && errno == 0 && *number <= most;
}

static ai8x_status read_bus(struct reader *reader, const yaml_node_t *node, void *target)
{
	unsigned long number = 0;
	if (text_of(node) != NULL && strcmp(text_of(node), "any") == 0)
		number = ANY_BUS;
	else if (!parse_number(node, 3, &number))
		return refuse(reader, node, "expected the number of a bus, 0 to 3, or any", "");
	*(unsigned *)target = (unsigned)number;
	return AI8X_OK;
}

static ai8x_status read_select(struct reader *reader, const yaml_node_t *node, void *target)
{
	unsigned long number = 0;
	if (!parse_number(node, 3, &number))
		return refuse(reader, node, "expected a slave select, 0 to 3", "");
	*(unsigned *)target = 1u << number;
	return AI8X_OK;
}

// "320x240" into two numbers in a row.
static ai8x_status read_size(struct reader *reader, const yaml_node_t *node, void *target)
{
	uint32_t *size = target;
	char rest = 0;
	if (text_of(node) == NULL || sscanf(text_of(node), "%ux%u%c", &size[0], &size[1], &rest) != 2 ||
	    size[0] == 0 || size[1] == 0 || size[0] > 4096 || size[1] > 4096)
		return refuse(reader, node, "expected a size such as 320x240, at most 4096x4096", "");
	return AI8X_OK;
}

static ai8x_status read_pin(struct reader *reader, const yaml_node_t *node, void *target)
{
	if (text_of(node) == NULL || !parse_pin(text_of(node), target))
		return refuse(reader, node, "expected a pin, P0.0 to P3.31", "");
	return AI8X_OK;
}

static ai8x_status read_active(struct reader *reader, const yaml_node_t *node, void *target)
{
	const char *text = text_of(node);
	if (text == NULL || (strcmp(text, "low") != 0 && strcmp(text, "high") != 0))
		return refuse(reader, node, "expected low or high", "");
	*(bool *)target = strcmp(text, "high") == 0;
	return AI8X_OK;
}

static ai8x_status read_level(struct reader *reader, const yaml_node_t *node, void *target)
{
	const char *text = text_of(node);
	char *end = NULL;
	const double level = text != NULL ? strtod(text, &end) : 0;
	if (text == NULL || end == text || *end != 0 || !(level >= SOUND_LEAST_LEVEL && level <= 0))
		return refuse(reader, node, "expected a level in dB, -120 to 0", "");
	*(double *)target = level;
	return AI8X_OK;
}

static const struct key camera_keys[] = {
	{"sensor", read_text, offsetof(struct description, camera_chip)},
	{"picture", read_path, offsetof(struct description, camera)},
	{"size", read_size, offsetof(struct description, camera_width)},
	{0},
};

static const struct key display_keys[] = {
	{"controller", read_text, offsetof(struct description, display_controller)},
	{"size", read_size, offsetof(struct description, display_width)},
	{"spi", read_bus, offsetof(struct description, display_bus)},
	{"select", read_select, offsetof(struct description, display_select)},
	{"data", read_pin, offsetof(struct description, display_data)},
	{"picture", read_path, offsetof(struct description, display)},
	{0},
};

static const struct key card_keys[] = {
	{"spi", read_bus, offsetof(struct description, card_bus)},
	{"select", read_select, offsetof(struct description, card_select)},
	{"image", read_path, offsetof(struct description, card)},
	{"out", read_path, offsetof(struct description, card_out)},
	{0},
};

// Carries out read for every item of a list.
static ai8x_status read_list(struct reader *reader, const yaml_node_t *node,
                             ai8x_status (*read)(struct reader *, const yaml_node_t *))
{
	if (node == NULL || node->type != YAML_SEQUENCE_NODE)
		return refuse(reader, node, "expected a list", "");
	for (const yaml_node_item_t *item = node->data.sequence.items.start; item < node->data.sequence.items.top;
	     item++) {
		ai8x_status status = read(reader, yaml_document_get_node(&reader->document, *item));
		if (status != AI8X_OK)
			return status;
	}
	return AI8X_OK;
}

static ai8x_status read_buttons(struct reader *reader, const yaml_node_t *node, void *target)
{
	struct description *d = target;
	static const struct key keys[] = {
		{"pin", read_pin, offsetof(struct button, pin)},
		{"active", read_active, offsetof(struct button, active_high)},
		{0},
	};
	if (node == NULL || node->type != YAML_MAPPING_NODE)
		return refuse(reader, node, "expected names of buttons", "");
	d->button_count = 0;
	for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top;
	     pair++) {
		const yaml_node_t *name = yaml_document_get_node(&reader->document, pair->key);
		struct button *button = &d->buttons[d->button_count];
		if (d->button_count == BOARD_BUTTONS || text_of(name) == NULL ||
		    strlen(text_of(name)) >= sizeof button->name)
			return refuse(reader, name, "too many buttons, or a name that is too long", "");
		*button = (struct button){0};
		(void)snprintf(button->name, sizeof button->name, "%s", text_of(name));
		ai8x_status status =
			read_mapping(reader, yaml_document_get_node(&reader->document, pair->value), keys, button);
		if (status != AI8X_OK)
			return status;
		d->button_count++;
	}
	return AI8X_OK;
}

static ai8x_status read_one_wires(struct reader *reader, const yaml_node_t *node)
{
	struct description *d = reader->description;
	static const struct key keys[] = {
		{"clock", read_pin, offsetof(struct wires, clock)},
		{"data", read_pin, offsetof(struct wires, data)},
		{0},
	};
	if (d->wire_count == BOARD_WIRES)
		return refuse(reader, node, "too many pairs of wires", "");
	return read_mapping(reader, node, keys, &d->wires[d->wire_count++]);
}

static ai8x_status read_wires(struct reader *reader, const yaml_node_t *node, void *target)
{
	((struct description *)target)->wire_count = 0;
	return read_list(reader, node, read_one_wires);
}

// ---- I2C devices ----

static ai8x_status add_value(struct reader *reader, const yaml_node_t *node, struct script_answer *answer)
{
	unsigned long value = 0;
	if (answer->count == SCRIPT_VALUES || !parse_number(node, 255, &value))
		return refuse(reader, node, "expected a byte, 0 to 255, and at most 64 of them", "");
	answer->values[answer->count++] = (uint8_t)value;
	return AI8X_OK;
}

static ai8x_status read_answer(struct reader *reader, const yaml_node_t *name, const yaml_node_t *value,
                               struct script *script, bool together)
{
	unsigned long key = 0;
	if (script->answer_count == MOST_ANSWERS || !parse_number(name, UINT32_MAX, &key))
		return refuse(reader, name, "expected the number of a register or command", "");
	struct script_answer *grown = realloc(script->answers, (script->answer_count + 1) * sizeof *grown);
	if (grown == NULL)
		return error_no_memory(reader->error, reader->path);
	script->answers = grown;
	struct script_answer *answer = &script->answers[script->answer_count++];
	*answer = (struct script_answer){.key = (uint32_t)key, .together = together};
	if (value->type != YAML_SEQUENCE_NODE)
		return add_value(reader, value, answer);
	ai8x_status status = AI8X_OK;
	for (const yaml_node_item_t *item = value->data.sequence.items.start;
	     status == AI8X_OK && item < value->data.sequence.items.top; item++)
		status = add_value(reader, yaml_document_get_node(&reader->document, *item), answer);
	if (status == AI8X_OK && answer->count == 0)
		status = refuse(reader, value, "an empty list", "");
	return status;
}

static ai8x_status read_answers(struct reader *reader, const yaml_node_t *node, struct script *script,
                                bool together)
{
	if (node == NULL || node->type != YAML_MAPPING_NODE)
		return refuse(reader, node, "expected numbers and values", "");
	ai8x_status status = AI8X_OK;
	for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
	     status == AI8X_OK && pair < node->data.mapping.pairs.top; pair++)
		status = read_answer(reader, yaml_document_get_node(&reader->document, pair->key),
		                     yaml_document_get_node(&reader->document, pair->value), script, together);
	return status;
}

static ai8x_status read_registers(struct reader *reader, const yaml_node_t *node, void *target)
{
	return read_answers(reader, node, target, false);
}

static ai8x_status read_commands(struct reader *reader, const yaml_node_t *node, void *target)
{
	return read_answers(reader, node, target, true);
}

static ai8x_status read_address(struct reader *reader, const yaml_node_t *node, void *target)
{
	unsigned long number = 0;
	if (!parse_number(node, 127, &number))
		return refuse(reader, node, "expected an address of seven bits, 0 to 127", "");
	*(uint8_t *)target = (uint8_t)number;
	return AI8X_OK;
}

static ai8x_status read_key_bytes(struct reader *reader, const yaml_node_t *node, void *target)
{
	unsigned long number = 0;
	if (!parse_number(node, 2, &number) || number == 0)
		return refuse(reader, node, "expected the bytes of a register's address, 1 or 2", "");
	*(unsigned *)target = (unsigned)number;
	return AI8X_OK;
}

static ai8x_status ignore(struct reader *reader, const yaml_node_t *node, void *target)
{
	(void)target;
	return text_of(node) != NULL ? AI8X_OK : refuse(reader, node, "expected a text", "");
}

static ai8x_status read_one_device(struct reader *reader, const yaml_node_t *node)
{
	struct description *d = reader->description;
	static const struct key keys[] = {
		{"name", ignore, 0},
		{"bus", read_bus, offsetof(struct board_script, bus)},
		{"address", read_address, offsetof(struct board_script, address)},
		{"register_bytes", read_key_bytes, offsetof(struct board_script, script.key_bytes)},
		{"registers", read_registers, offsetof(struct board_script, script)},
		{"commands", read_commands, offsetof(struct board_script, script)},
		{0},
	};
	if (d->script_count == BOARD_SCRIPTS)
		return refuse(reader, node, "too many I2C devices", "");
	struct board_script *device = &d->scripts[d->script_count++];
	*device = (struct board_script){.bus = ANY_BUS, .script.key_bytes = 1};
	return read_mapping(reader, node, keys, device);
}

static ai8x_status read_devices(struct reader *reader, const yaml_node_t *node, void *target)
{
	(void)target;
	return read_list(reader, node, read_one_device);
}

static ai8x_status read_document(struct reader *reader)
{
	static const struct key keys[] = {
		{"name", ignore, 0},
		{"buttons", read_buttons, 0},
		{"camera", .keys = camera_keys},
		{"display", .keys = display_keys},
		{"card", .keys = card_keys},
		{"wires", read_wires, 0},
		{"i2c", read_devices, 0},
		{"sound", read_path, offsetof(struct description, sound)},
		{"sound_level", read_level, offsetof(struct description, sound_level)},
		{"gpio", read_path, offsetof(struct description, gpio)},
		{0},
	};
	return read_mapping(reader, yaml_document_get_root_node(&reader->document), keys, reader->description);
}

ai8x_status description_read(const char *path, struct description *description, ai8x_error *error)
{
	FILE *file;
	ai8x_status opened = file_stream(path, &file, error);
	if (opened != AI8X_OK)
		return opened;
	long size = -1;
	if (fseek(file, 0, SEEK_END) == 0)
		size = ftell(file);
	if (size < 0 || size > MOST_BYTES || fseek(file, 0, SEEK_SET) != 0) {
		(void)fclose(file);
		return error_set(error, AI8X_ERR_LIMIT, "%s: no file, or more than %ld bytes", path, MOST_BYTES);
	}
	yaml_parser_t parser;
	struct reader reader = {.path = path, .description = description, .error = error};
	ai8x_status status = AI8X_OK;
	if (yaml_parser_initialize(&parser) == 0) {
		(void)fclose(file);
		return error_no_memory(error, path);
	}
	yaml_parser_set_input_file(&parser, file);
	if (yaml_parser_load(&parser, &reader.document) == 0)
		status = error_set(error, AI8X_ERR_FORMAT, "%s: line %zu: %s", path, parser.problem_mark.line + 1,
		                   parser.problem != NULL ? parser.problem : "not YAML");
	else {
		status = read_document(&reader);
		yaml_document_delete(&reader.document);
	}
	yaml_parser_delete(&parser);
	(void)fclose(file);
	return status;
}
