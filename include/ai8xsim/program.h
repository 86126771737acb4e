/**
 * @file program.h
 * @brief Recorded programs: bus operations with expected results, in memory and on disk.
 *
 * The file format is described in docs/program-format.md.
 *
 * Example: examples/network.c.
 */
#ifndef AI8XSIM_PROGRAM_H
#define AI8XSIM_PROGRAM_H

#include "machine.h"
#include "part.h"
#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Kinds of operations. The values are those of the file format. */
typedef enum ai8x_op_kind {
	AI8X_BUS_WRITE32 = 0,
	AI8X_BUS_WAIT = 1,
	AI8X_BUS_FIFO_WRITE32 = 2,
	AI8X_BUS_EXPECT = 3,
	AI8X_BUS_RUN = 4,
	AI8X_BUS_WRITE8 = 5,
	AI8X_BUS_KINDS
} ai8x_op_kind;

/** @brief Name of an operation kind: "WRITE32", or NULL. */
AI8X_API const char *ai8x_op_kind_name(unsigned kind);

/** One operation. */
typedef struct ai8x_op {
	uint8_t kind;     /**< ai8x_op_kind */
	uint32_t address; /**< absolute bus address */
	uint32_t value;
	uint32_t mask; /**< WAIT, EXPECT */
} ai8x_op;

/** A recorded program. */
typedef struct ai8x_program ai8x_program;

/** Type of an attribute. */
typedef enum ai8x_attribute_type {
	AI8X_ATTRIBUTE_INT,   /**< one or more integers */
	AI8X_ATTRIBUTE_FLOAT, /**< one or more floating point numbers */
	AI8X_ATTRIBUTE_TEXT,
} ai8x_attribute_type;

/** A named value of a program or of one of its layers. */
typedef struct ai8x_attribute {
	const char *name;
	ai8x_attribute_type type;
	const int64_t *integers; /**< AI8X_ATTRIBUTE_INT; 64-bit maps are kept as their bit pattern */
	size_t count;            /**< number of integers or numbers (a scalar: 1) */
	bool scalar;             /**< stored as a scalar, not as an array */
	bool is_unsigned;        /**< the integers are unsigned in the file */
	bool is_boolean;         /**< a boolean in the file (1 or 0 here) */
	uint8_t bytes;           /**< size of one integer (1, 2, 4, 8) or number (4, 8) in the file; 0: 8 */
	double number;           /**< AI8X_ATTRIBUTE_FLOAT: the first number */
	const double *numbers;   /**< AI8X_ATTRIBUTE_FLOAT: all numbers; may be NULL when count is 1 */
	const char *text;        /**< AI8X_ATTRIBUTE_TEXT, UTF-8 */
} ai8x_attribute;

/** A layer's recorded result. Pointers belong to the program. */
typedef struct ai8x_program_layer {
	unsigned number;         /**< N of /layers/N */
	const int32_t *output;   /**< [C][H][W], or NULL */
	uint32_t shape[3];       /**< C, H, W; 0 without output */
	const ai8x_word *memory; /**< or NULL */
	size_t memory_count;
	const ai8x_attribute *attributes;
	size_t attribute_count;
} ai8x_program_layer;

/** @brief An empty program for @p part, to be filled. Destroy with ai8x_program_destroy(). */
AI8X_API ai8x_status ai8x_program_create(const ai8x_part *part, const char *name, ai8x_program **program,
                                         ai8x_error *error);
/** @brief Frees a program. NULL is allowed. */
AI8X_API void ai8x_program_destroy(ai8x_program *program);

/** Choices for opening files that do not say everything themselves. Zero-initialise. */
typedef struct ai8x_program_options {
	const ai8x_part *part; /**< needed for .mem files; must agree with what an HDF5 file says */
	bool skip_results;     /**< do not read /layers and /input: enough to run, faster */
	bool skip_tensors;     /**< read the layers' attributes, but none of their outputs and memory words */
	bool skip_attributes;  /**< of the layers' attributes read `hw_layer` only: enough to run and compare */
	const char *expected;  /**< for .mem files: a .mem file of words expected after the run, or NULL */
	void *reserved[8];     /**< zero: room to grow without breaking the ABI (docs/versions.md) */
} ai8x_program_options;

/** Most operations a program may have. */
#define AI8X_PROGRAM_MAX_OPS (1u << 24)
/** Most values a tensor (input, output of a layer) may have. */
#define AI8X_PROGRAM_MAX_VALUES (1u << 24)
/** Most memory words recorded for a layer. */
#define AI8X_PROGRAM_MAX_WORDS (1u << 20)
/** Most recorded layers; their numbers are smaller than this. */
#define AI8X_PROGRAM_MAX_LAYERS 256u
/** In a program that records layers, one that runs without being recorded (a helper that a generator
    inserted) is numbered this + its register set, out of the way of the recorded numbers. */
#define AI8X_PROGRAM_UNRECORDED 128u

/**
 * @brief Reads a program: HDF5 by content, or an ai8x-synthesis `.mem` stimulus file by name.
 * @param options  NULL for the defaults
 */
AI8X_API ai8x_status ai8x_program_open(const char *path, const ai8x_program_options *options,
                                       ai8x_program **program, ai8x_error *error);

/**
 * @brief Says whether a file calls itself a program, without reading it: an HDF5 file whose root says so.
 * @param is_program  false also for files that are no HDF5 files
 * @return AI8X_OK, or why the file could not be asked (AI8X_ERR_IO; AI8X_ERR_FORMAT: damaged HDF5 file)
 */
AI8X_API ai8x_status ai8x_program_probe(const char *path, bool *is_program, ai8x_error *error);

/** @brief Writes a program as HDF5, whole or not at all. */
AI8X_API ai8x_status ai8x_program_save(const ai8x_program *program, const char *path, ai8x_error *error);

/** @brief The part the program was recorded for. */
AI8X_API const ai8x_part *ai8x_program_part(const ai8x_program *program);
/** @brief Name of the program; never NULL. */
AI8X_API const char *ai8x_program_name(const ai8x_program *program);
/** @brief The operations; valid until the program changes. */
AI8X_API const ai8x_op *ai8x_program_ops(const ai8x_program *program, size_t *count);
/** @brief Appends one operation. */
AI8X_API ai8x_status ai8x_program_append(ai8x_program *program, ai8x_op op, ai8x_error *error);

/** @brief The input tensor [C][H][W], or NULL. */
AI8X_API const int32_t *ai8x_program_input(const ai8x_program *program, uint32_t shape[3]);
/** @brief Copies an input tensor into the program. */
AI8X_API ai8x_status ai8x_program_set_input(ai8x_program *program, const int32_t *input,
                                            const uint32_t shape[3], ai8x_error *error);
/** @brief The 32 words of /snoop, or NULL. */
AI8X_API const uint32_t *ai8x_program_snoop(const ai8x_program *program);
/** @brief Copies the 32 words of /snoop into the program. */
AI8X_API ai8x_status ai8x_program_set_snoop(ai8x_program *program, const uint32_t words[32],
                                            ai8x_error *error);

/**
 * @brief Data memory after the run, [AI8X_INSTANCES][words], or NULL (only dumps have it).
 * @param words  receives the words of one instance
 */
AI8X_API const uint32_t *ai8x_program_memory(const ai8x_program *program, size_t *words);
/** @brief Copies data memory, [AI8X_INSTANCES][words], into the program. */
AI8X_API ai8x_status ai8x_program_set_memory(ai8x_program *program, const uint32_t *memory, size_t words,
                                             ai8x_error *error);

/** @brief Number of layers with recorded results. */
AI8X_API size_t ai8x_program_layer_count(const ai8x_program *program);
/** @brief Layer at @p position in the order they run, or NULL. */
AI8X_API const ai8x_program_layer *ai8x_program_layer_at(const ai8x_program *program, size_t position);
/**
 * @brief Adds a layer's results (copied). @p output and @p memory may be NULL.
 */
AI8X_API ai8x_status ai8x_program_add_layer(ai8x_program *program, unsigned number, const int32_t *output,
                                            const uint32_t shape[3], const ai8x_word *memory,
                                            size_t memory_count, ai8x_error *error);

/** @brief Root attributes. */
AI8X_API const ai8x_attribute *ai8x_program_attributes(const ai8x_program *program, size_t *count);
/** @brief Root (@p position < 0) or layer attribute by name, or NULL. */
AI8X_API const ai8x_attribute *ai8x_program_attribute(const ai8x_program *program, int position,
                                                      const char *name);
/** @brief First integer of an attribute, or @p fallback where it is missing or not an integer. */
AI8X_API int64_t ai8x_program_int(const ai8x_program *program, int position, const char *name,
                                  int64_t fallback);
/** @brief Text of an attribute, or @p fallback. */
AI8X_API const char *ai8x_program_text(const ai8x_program *program, int position, const char *name,
                                       const char *fallback);
/** @brief Sets (adds or replaces; copies) an attribute of the root (@p position < 0) or of a layer. */
AI8X_API ai8x_status ai8x_program_set_attribute(ai8x_program *program, int position,
                                                const ai8x_attribute *attribute, ai8x_error *error);

/* --- Arrays ------------------------------------------------------------------------------------------ */

/** Most dimensions of an array. */
#define AI8X_ARRAY_MAX_RANK 6u

/** Integers in row-major order. */
typedef struct ai8x_array {
	char name[64]; /**< place in an HDF5 file, "/layers/3/output"; .npy files have no names */
	uint32_t rank; /**< 1..AI8X_ARRAY_MAX_RANK */
	uint32_t shape[AI8X_ARRAY_MAX_RANK];
	const int32_t *values;
} ai8x_array;

/**
 * @brief Writes an array as a NumPy file (format 1.0, 32-bit little-endian integers), whole or not at all.
 * @return AI8X_OK, AI8X_ERR_ARGUMENT (rank), AI8X_ERR_IO, AI8X_ERR_NO_MEMORY
 */
AI8X_API_EXPERIMENTAL ai8x_status ai8x_array_write_npy(const ai8x_array *array, const char *path,
                                                       ai8x_error *error);

/**
 * @brief Writes arrays as datasets of one HDF5 file (compressed 32-bit little-endian integers), whole or not at all.
 * @return AI8X_OK, AI8X_ERR_ARGUMENT (rank), AI8X_ERR_IO, AI8X_ERR_NO_MEMORY
 */
AI8X_API_EXPERIMENTAL ai8x_status ai8x_arrays_write_hdf5(const ai8x_array *arrays, size_t count,
                                                         const char *path, ai8x_error *error);

#ifdef __cplusplus
}
#endif
#endif
