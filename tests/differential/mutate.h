// Mutations of a program's register writes: changes of values and addresses that no compiler would make.
#ifndef AI8X_DIFFERENTIAL_MUTATE_H
#define AI8X_DIFFERENTIAL_MUTATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ai8xsim/ai8xsim.h>

#include "draw.h"

#define MOST_MUTATIONS 40

// One register write with another address or value.
struct mutation {
	size_t position; // among the program's operations
	ai8x_op before, after;
};

// Register writes of a program that mutations may change: positions among its operations.
struct register_writes {
	size_t *position;
	size_t count;
};

// false: no memory.
bool register_writes_find(const ai8x_program *program, struct register_writes *writes);
void register_writes_release(struct register_writes *writes);

// Draws 1 to MOST_MUTATIONS mutations. No write is changed twice.
size_t mutations_draw(struct draw *draw, const ai8x_program *program, const struct register_writes *writes,
                      struct mutation mutations[MOST_MUTATIONS]);

// The program with its operations changed and nothing else. NULL: no memory.
ai8x_program *mutations_apply(const ai8x_program *program, const struct mutation *mutations, size_t count);

#endif
