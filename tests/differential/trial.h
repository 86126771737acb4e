// What the parts of the differential tests share: a trial is a network that was drawn, everything needed to run it,
// and a verdict on it.
//
// generate.c draws trials, judge.c runs them, features.c counts what they exercise, shrink.c makes failing ones small, record.c writes them down,
// differential.c drives all of it on several threads.
#ifndef AI8X_DIFFERENTIAL_TRIAL_H
#define AI8X_DIFFERENTIAL_TRIAL_H

#include <stdbool.h>
#include <stdint.h>

#include <ai8xsim/ai8xsim.h>

#define TRIAL_TEXT 1024
#define TRIAL_MAX_LAYERS 8
// Kernels of the fast engine: plain C and those for certain processors.
#define TRIAL_MAX_KERNELS 8
// Rows of the table in features.c.
#define TRIAL_FEATURES 54

// Which values fill weights, biases and input.
enum trial_values {
	VALUES_UNIFORM, // every value of the width is equally likely
	VALUES_EXTREME, // the least and the greatest: sums as large as they get, outputs clipped
	VALUES_SMALL,   // around zero: results near the steps of rounding
	VALUES_KINDS
};

struct trial {
	uint64_t number; // with the part, all that is needed to draw it again
	const ai8x_part *part;
	unsigned attempt;      // earlier ones were refused
	ai8x_network *network; // neither resolved nor placed, without weights
	ai8x_compile_options options;
	uint32_t pace; // cycles between two FIFO writes of the host
	enum trial_values values;
};

// Draws network `number` for the part. Status values other than AI8X_OK mean that the host is out of memory.
ai8x_status trial_draw(uint64_t number, unsigned attempt, const ai8x_part *part, struct trial *trial,
                       ai8x_error *error);
void trial_release(struct trial *trial);
ai8x_status trial_copy(const struct trial *trial, struct trial *copy, ai8x_error *error);

enum outcome {
	OUTCOME_PASS,
	OUTCOME_REFUSED,   // the compiler says that the part cannot run the network
	OUTCOME_SENSELESS, // resolving failed: the network has no meaning
	// failures
	OUTCOME_REFUSAL,     // a refusal whose message or status is no good
	OUTCOME_GOLDEN,      // the golden model or the value generator failed
	OUTCOME_COMPILE,     // compiling failed for another reason than a limit
	OUTCOME_REGISTERS,   // registers -> layer -> registers is not the identity
	OUTCOME_DESCRIPTION, // the description written as YAML and read again compiles to another program
	OUTCOME_RUN,         // the machine could not carry out the program
	OUTCOME_VALUES,      // the exact engine and the golden model differ
	OUTCOME_FAST,        // the fast engine differs from the exact one
	OUTCOME_TIME,        // the closed form differs from what the exact engine counted
	OUTCOME_KINDS
};

const char *outcome_name(enum outcome outcome);

static inline bool outcome_is_failure(enum outcome outcome)
{
	return outcome > OUTCOME_SENSELESS;
}

struct verdict {
	enum outcome outcome;
	char text[TRIAL_TEXT];
	// What was compared.
	uint64_t layers, fast_layers, values, words, cycles;
	uint64_t features[TRIAL_FEATURES];
	char reason[64]; // why a layer was left to the exact engine, "" when none was
};

const char *feature_name(unsigned feature);
// false: the part does not have it.
bool feature_exists(unsigned feature, const ai8x_part *part);
// Adds the layers of a placed network that have each feature.
void count_features(const struct trial *trial, const ai8x_network *network, uint64_t counts[TRIAL_FEATURES]);

// Threads of an inference that has several.
#define TRIAL_THREADS 3

// What a thread needs to judge trials. Zero-initialise; set the members that are not set by prepare.
struct judge {
	const char *folder; // for temporary files
	unsigned thread;
	const char *kernels[TRIAL_MAX_KERNELS]; // of the fast engine that this processor runs
	unsigned kernel_count;
	struct registers *before, *after; // scratch
};

ai8x_status judge_prepare(struct judge *judge, ai8x_error *error);
void judge_release(struct judge *judge);

// What was made of a trial; zero-initialise, release with trial_products_release().
struct trial_products {
	ai8x_network *network; // resolved, placed, filled
	ai8x_program *program;
};

void trial_products_release(struct trial_products *products);

// Compiles, runs and compares. products: NULL, or receives what was made.
void trial_judge(struct judge *judge, const struct trial *trial, struct verdict *verdict,
                 struct trial_products *products);

// Replaces a failing trial by the smallest found that fails in the same way. Returns the number of trials judged.
unsigned trial_shrink(struct judge *judge, struct trial *trial, struct verdict *verdict);

// Writes description, weights, program and a report into a folder of its own; path receives its name.
ai8x_status trial_record(struct judge *judge, const struct trial *trial, const struct verdict *first,
                         const struct verdict *verdict, const char *folder, char *path, size_t size,
                         ai8x_error *error);

#endif
