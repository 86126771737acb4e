// Reading a description's text; see read_yaml.c.
#ifndef AI8X_NETWORK_READ_YAML_H
#define AI8X_NETWORK_READ_YAML_H

#include <ai8xsim/network.h>

// Files that a description names, as paths from where the program runs; NULL where it names none.
struct named_files {
	char *weights, *bias, *input;
};

void named_files_release(struct named_files *named);

// Parses a description. Nothing is resolved: weight_bits is 0 where the file does not say, shifts are
// the file's own (without the correction for narrow weights), and a flattened layer's in_channels key is
// in fan_channels. network_finish() makes them what the public header says.
ai8x_status network_read_yaml(const char *text, size_t size, const char *file, struct named_files *named,
                              ai8x_network **network, ai8x_error *error);

// Whether a description has that key, in a layer or at its top. If not, *nearest is the key that is spelled most like it.
bool network_has_key(const char *key, bool of_layer, const char **nearest);

// Whether two keys of a layer, or of the description, are one: it may have several spellings.
bool network_same_key(const char *a, const char *b);

// A word that is spelled much like another, so that it may be meant.
bool network_may_mean(const char *word, const char *meant, size_t *best);

// Number of single-character edits between two words, in capitals or not, of at most 31 characters; SIZE_MAX where one is longer.
size_t network_word_distance(const char *a, const char *b);

#endif
