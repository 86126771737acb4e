// The file that an evaluation fills, OUT.part until it is complete; see results.c.
#ifndef AI8X_RUNNER_RESULTS_H
#define AI8X_RUNNER_RESULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ai8xsim/status.h>

struct results;

// What a file belongs to. A file of anything else is not gone on with.
struct results_identity {
	const char *program, *part, *data; // names, for people; only `part` must agree
	uint64_t program_hash;
	uint64_t inputs;
	uint32_t shape[3]; // of one output
	uint32_t classes;  // of the confusion matrix, 0: none
	uint64_t chunk;    // inputs of one chunk in the file
};

// Opens path.part where there is one, else makes it. `fresh`: makes it anyway.
ai8x_status results_open(const char *path, const struct results_identity *identity, bool fresh,
                         struct results **results, ai8x_error *error);
// Closes the file and leaves it as it is.
void results_close(struct results *results);

// Per input: 1 where its output is there.
const uint8_t *results_done(const struct results *results);

// One caller at a time: outputs (shape) and hashes of the inputs first .. first + count - 1.
ai8x_status results_write(struct results *results, uint64_t first, uint64_t count, const int32_t *outputs,
                          const uint64_t *hashes, ai8x_error *error);
ai8x_status results_read(const struct results *results, uint64_t first, uint64_t count, int32_t *outputs,
                         uint64_t *hashes, ai8x_error *error);

// Makes what was written so far survive the end of this process, however it ends.
ai8x_status results_save(struct results *results, ai8x_error *error);

// All is there: writes the confusion matrix ([classes][classes], or NULL), closes the file and renames it.
ai8x_status results_finish(struct results *results, const uint64_t *confusion, ai8x_error *error);

#endif
