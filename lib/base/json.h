// JSON documents: text of any bytes, and one layout for all of them.
#ifndef AI8X_BASE_JSON_H
#define AI8X_BASE_JSON_H

#include <stdio.h>

#include <jansson.h>

#include <ai8xsim/status.h>

// Text as JSON; bytes that are not UTF-8 (file names may hold any) become U+FFFD. NULL becomes null.
json_t *json_text(const char *text);

// A number, or null where it is negative.
json_t *json_number_or_null(int number);

// Adds to an object or to the end of a list and takes the value over. What did not fit in memory, here or where the
// value was made (NULL), is remembered for the thread, as in errno: the next json_write() says so.
void json_put(json_t *object, const char *key, json_t *value);
void json_push(json_t *array, json_t *value);

// Adds all of the second object's and releases it; remembers as json_put() does.
void json_merge(json_t *object, json_t *more);

// Reads a file of at most `most` bytes (else AI8X_ERR_LIMIT) with jansson's flags; json_decref() *root.
ai8x_status json_read(const char *path, size_t most, size_t flags, json_t **root, ai8x_error *error);

// Writes a document to a file and releases it. NULL, and what does not fit in memory: AI8X_ERR_NO_MEMORY. Failed writes
// are left to the file's error flag.
ai8x_status json_write(json_t *root, FILE *file, ai8x_error *error);

#endif
