// JSON documents; see json.h.
#include "base/json.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory_file.h"

static _Thread_local bool incomplete;

void json_put(json_t *object, const char *key, json_t *value)
{
	incomplete |= json_object_set_new(object, key, value) != 0;
}

void json_push(json_t *array, json_t *value)
{
	incomplete |= json_array_append_new(array, value) != 0;
}

void json_merge(json_t *object, json_t *more)
{
	incomplete |= json_object_update(object, more) != 0;
	json_decref(more);
}

json_t *json_text(const char *text)
{
	if (text == NULL)
		return json_null();
	json_t *valid = json_string(text);
	// Asked again: it may have found no memory.
	if (valid == NULL)
		valid = json_string(text);
	if (valid != NULL)
		return valid;
	static const char replacement[] = "\xef\xbf\xbd";
	size_t length = strlen(text);
	char *mended = malloc(3 * length + 1);
	if (mended == NULL)
		return NULL;
	size_t used = 0;
	for (size_t i = 0; i < length; i++) {
		// Without a decoder at hand only ASCII is known to be good.
		if ((unsigned char)text[i] < 0x80)
			mended[used++] = text[i];
		else
			for (size_t k = 0; k < 3; k++)
				mended[used++] = replacement[k];
	}
	json_t *json = json_stringn(mended, used);
	free(mended);
	return json;
}

json_t *json_number_or_null(int number)
{
	return number >= 0 ? json_integer(number) : json_null();
}

ai8x_status json_read(const char *path, size_t most, size_t flags, json_t **root, ai8x_error *error)
{
	unsigned char *bytes = NULL;
	size_t size = 0;
	json_error_t where;
	*root = NULL;
	ai8x_status status = file_read(path, most, &bytes, &size, error);
	if (status != AI8X_OK)
		return status;
	// Tried twice: jansson does not always tell want of memory from bad text.
	for (int i = 0; i < 2 && *root == NULL; i++)
		*root = json_loadb((const char *)bytes, size, flags, &where);
	free(bytes);
	if (*root != NULL)
		return AI8X_OK;
	if (where.text[0] == '\0' || json_error_code(&where) == json_error_out_of_memory)
		return error_no_memory(error, path);
	return error_set(error, AI8X_ERR_FORMAT, "%s:%d:%d: not JSON: %s", path, where.line, where.column,
	                 where.text);
}

// Escapes what jansson takes for a letter: the one control that JSON may hold as it is.
static void print_ascii(const char *text, FILE *file)
{
	for (size_t length; length = strcspn(text, "\x7f"), text[length] != '\0'; text += length + 1) {
		(void)fwrite(text, 1, length, file);
		(void)fputs("\\u007f", file);
	}
	(void)fputs(text, file);
}

ai8x_status json_write(json_t *root, FILE *file, ai8x_error *error)
{
	// In ASCII: JSON is also looked at on terminals, which names must not steer.
	bool whole = root != NULL && !incomplete;
	incomplete = false;
	// Into a file that knows of every byte: json_dumps() loses names of members that found no memory.
	struct memory_file memory;
	memory_file_open(&memory);
	whole = whole && memory.file != NULL &&
	        json_dumpf(root, memory.file, JSON_INDENT(2) | JSON_PRESERVE_ORDER | JSON_ENSURE_ASCII) == 0;
	json_decref(root);
	if (!memory_file_close(&memory) || !whole) {
		free(memory.text);
		return error_no_memory(error, "JSON");
	}
	print_ascii(memory.text, file);
	(void)fputc('\n', file);
	free(memory.text);
	return AI8X_OK;
}
