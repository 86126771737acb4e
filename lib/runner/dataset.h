// Data sets: many inputs of a network, with labels or without; see dataset.c.
#ifndef AI8X_RUNNER_DATASET_H
#define AI8X_RUNNER_DATASET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ai8xsim/status.h>

enum { DATASET_MAX_RANK = 4 };

// Dimensions after the first, which counts inputs; missing ones are 1.
struct dataset_shape {
	unsigned rank; // without the first
	uint64_t sides[DATASET_MAX_RANK - 1];
};

struct dataset;

// labels_path: a file of labels, or NULL: those of the data set itself, if it has any. scale: the inputs' values are
// multiplied by it; 0 and 1: taken as they are, unsigned bytes less 128.
ai8x_status dataset_open(const char *path, const char *labels_path, double scale, struct dataset **dataset,
                         ai8x_error *error);
void dataset_close(struct dataset *dataset);

// What was done to the inputs so that they are values of 8 bits, or NULL.
const char *dataset_note(const struct dataset *dataset);

uint64_t dataset_count(const struct dataset *dataset);
struct dataset_shape dataset_input_shape(const struct dataset *dataset);
bool dataset_has_labels(const struct dataset *dataset);
struct dataset_shape dataset_label_shape(const struct dataset *dataset);

// Any thread: reads inputs first .. first + count - 1, by way of `room` of dataset_room() bytes. A value that is not in
// -128..127 is an error.
ai8x_status dataset_read_inputs(const struct dataset *dataset, uint64_t first, uint64_t count, void *room,
                                int8_t *values, ai8x_error *error);
size_t dataset_room(const struct dataset *dataset, uint64_t count);
ai8x_status dataset_read_labels(const struct dataset *dataset, uint64_t first, uint64_t count,
                                int32_t *values, ai8x_error *error);

#endif
