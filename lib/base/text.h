// Text of unknown origin on its way to a terminal or a table.
#ifndef AI8X_BASE_TEXT_H
#define AI8X_BASE_TEXT_H

#include <stddef.h>

// Bytes of the first character of `text`, of which `left` are there; 0 where it steers a terminal (controls of 7 or 8
// bits, what turns the direction of writing, line separators) or is not UTF-8.
size_t text_plain_bytes(const char *text, size_t left);

// Puts '?' in the place of everything that is not plain. Newlines and tabs are not.
void text_make_plain(char *text);

#endif
