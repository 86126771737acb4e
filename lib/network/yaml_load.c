// YAML of unknown origin; see yaml_load.h.
#include "network/yaml_load.h"

#include <stdbool.h>

#include "base/error.h"

static ai8x_status too_much(const char *file, size_t line, const char *what, size_t most, ai8x_error *error)
{
	return error_set(error, AI8X_ERR_LIMIT, "%s:%zu: more than %zu %s", file, line, most, what);
}

static ai8x_status broken(const yaml_parser_t *parser, const char *file, ai8x_error *error)
{
	const size_t line =
		(parser->problem_mark.line > 0 ? parser->problem_mark.line : parser->context_mark.line) + 1;
	// What names no problem is a copy that failed; libyaml does not always call it a lack of memory.
	if (parser->error == YAML_MEMORY_ERROR || parser->problem == NULL)
		return error_no_memory(error, file);
	return error_set(error, AI8X_ERR_FORMAT, "%s:%zu: %s", file, line, parser->problem);
}

// Lines that begin with '%' tell how a document is to be read.
static ai8x_status count_directives(const char *file, const char *text, size_t size, ai8x_error *error)
{
	size_t lines = 1, count = 0;
	for (size_t i = 0; i < size; i++) {
		if (text[i] == '%' && (i == 0 || text[i - 1] == '\n' || text[i - 1] == '\r') &&
		    ++count > YAML_MOST_DIRECTIVES)
			return too_much(file, lines, "directives", YAML_MOST_DIRECTIVES, error);
		lines += text[i] == '\n';
	}
	return AI8X_OK;
}

struct tally {
	size_t depth, nodes, anchors;
};

// Counts one event; the parser goes no further where there are too many.
static ai8x_status count(struct tally *tally, const yaml_event_t *event, const char *file, ai8x_error *error)
{
	const size_t line = event->start_mark.line + 1;
	const yaml_char_t *anchor = NULL;
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		anchor = event->data.scalar.anchor;
		if (event->data.scalar.length > YAML_MOST_SCALAR)
			return too_much(file, line, "bytes in one word", YAML_MOST_SCALAR, error);
		break;
	case YAML_SEQUENCE_START_EVENT:
		anchor = event->data.sequence_start.anchor;
		tally->depth++;
		break;
	case YAML_MAPPING_START_EVENT:
		anchor = event->data.mapping_start.anchor;
		tally->depth++;
		break;
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		tally->depth--;
		return AI8X_OK;
	case YAML_ALIAS_EVENT:
		break;
	default:
		return AI8X_OK;
	}
	if (tally->depth > YAML_MOST_DEPTH)
		return too_much(file, line, "lists and mappings inside each other", YAML_MOST_DEPTH, error);
	if (++tally->nodes > YAML_MOST_NODES)
		return too_much(file, line, "values", YAML_MOST_NODES, error);
	if (anchor != NULL && ++tally->anchors > YAML_MOST_ANCHORS)
		return too_much(file, line, "anchors", YAML_MOST_ANCHORS, error);
	return AI8X_OK;
}

// Reads the first document once, event by event, without keeping it.
static ai8x_status check(yaml_parser_t *parser, const char *file, ai8x_error *error)
{
	struct tally tally = {0};
	ai8x_status status = AI8X_OK;
	bool more = true;
	while (more && status == AI8X_OK) {
		yaml_event_t event;
		if (!yaml_parser_parse(parser, &event))
			return broken(parser, file, error);
		status = count(&tally, &event, file, error);
		more = event.type != YAML_DOCUMENT_END_EVENT && event.type != YAML_STREAM_END_EVENT;
		yaml_event_delete(&event);
	}
	return status;
}

static ai8x_status load(yaml_parser_t *parser, const char *file, yaml_document_t *document, ai8x_error *error)
{
	return yaml_parser_load(parser, document) ? AI8X_OK : broken(parser, file, error);
}

ai8x_status yaml_load(const char *file, const char *text, size_t size, yaml_document_t *document,
                      ai8x_error *error)
{
	if (size > YAML_MOST_BYTES)
		return error_set(error, AI8X_ERR_LIMIT, "%s: %zu bytes, more than the limit of %d", file, size,
		                 YAML_MOST_BYTES);
	ai8x_status status = count_directives(file, text, size, error);
	for (int pass = 0; pass < 2 && status == AI8X_OK; pass++) {
		yaml_parser_t parser;
		if (!yaml_parser_initialize(&parser))
			return error_no_memory(error, file);
		yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
		status = pass == 0 ? check(&parser, file, error) : load(&parser, file, document, error);
		yaml_parser_delete(&parser);
	}
	return status;
}
