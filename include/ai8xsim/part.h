/**
 * @file part.h
 * @brief The parts (microcontrollers) this library knows, as data.
 *
 * Example: examples/part.c.
 */
#ifndef AI8XSIM_PART_H
#define AI8XSIM_PART_H

#include <stdbool.h>
#include <stdint.h>

#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Groups ("quadrants") of a part; the same on every part. */
#define AI8X_GROUPS 4
/** Processors in all groups together. */
#define AI8X_PROCESSORS 64
/** Data memory instances in all groups together; each serves four processors. */
#define AI8X_INSTANCES 16
/** The most layers any part has. */
#define AI8X_MAX_LAYERS 128
/** The most layers that can stream. */
#define AI8X_MAX_STREAMS 8

/** A part: address map, register table, geometry, limits. Immutable, never freed. */
typedef struct ai8x_part ai8x_part;

/** Sizes of a part (hardware reference 1). */
typedef struct ai8x_part_info {
	const char *name;            /**< "MAX78000" */
	unsigned layers;             /**< layer register sets */
	unsigned data_words;         /**< 32-bit words of one data memory instance */
	unsigned kernel_words;       /**< 72-bit words of one processor's kernel memory */
	unsigned kernel_words_first; /**< the same for the first processor of each group */
	unsigned bias_entries;       /**< bytes of bias memory of one group */
	unsigned tram_words;         /**< 16-bit words of one processor's TRAM */
	unsigned max_passes;         /**< passes of a layer without flattening */
	uint32_t clock_hz;           /**< accelerator clock when nothing else is configured */
	bool cycles_exact;           /**< false: the part's cycle counts are an estimate */
	uint32_t data_base;          /**< bus address of data memory instance 0 */
} ai8x_part_info;

/** @brief Number of parts. */
AI8X_API unsigned ai8x_part_count(void);

/** @brief Part number @p index (0 .. count-1), or NULL. */
AI8X_API const ai8x_part *ai8x_part_at(unsigned index);

/** @brief The part of that name (case does not matter, "78000" is enough), or NULL. */
AI8X_API const ai8x_part *ai8x_part_find(const char *name);

/** @brief Sizes and limits of @p part. */
AI8X_API const ai8x_part_info *ai8x_part_get_info(const ai8x_part *part);

/** What lies at a bus address. */
typedef struct ai8x_location {
	const char *region; /**< "data memory", "TRAM", "layer register", ...; never NULL */
	const char *name;   /**< register name, or NULL for memories */
	int group;          /**< group 0..3, or -1 where groups do not matter */
	int unit;           /**< data instance 0..15 or processor 0..63, or -1 */
	int layer;          /**< layer of a per-layer register, or -1 */
	uint32_t word;      /**< word inside the memory (or byte entry of bias memory) */
} ai8x_location;

/**
 * @brief Says what lies at bus address @p address.
 * @return AI8X_OK, or AI8X_ERR_ADDRESS when the part has nothing there.
 */
AI8X_API ai8x_status ai8x_part_locate(const ai8x_part *part, uint32_t address, ai8x_location *location);

/** @brief Bus address of @p word of data memory @p instance (0..15); no range check. */
AI8X_API uint32_t ai8x_part_data_address(const ai8x_part *part, unsigned instance, uint32_t word);

/** A memory, or a register in all its copies. */
typedef struct ai8x_region {
	const char *name; /**< "data memory", "LCTL" */
	const char *kind; /**< "memory", "layer register", "group register", ... */
	bool memory;
	uint32_t address;      /**< bus address in group 0, of unit or layer 0 */
	uint32_t stride;       /**< bytes to the next unit or layer (0 where there is one) */
	uint32_t count;        /**< units of a group, or layers */
	unsigned groups;       /**< 1 where groups do not matter */
	uint32_t group_stride; /**< bytes to the next group */
	uint32_t words;        /**< memories: words of a unit ... */
	uint32_t words_first;  /**< ... and of the first unit of a group */
	uint32_t word_bytes;   /**< memories: bus bytes that one word takes */
	uint32_t reset;        /**< registers */
	bool read_only, write_only;
} ai8x_region;

/**
 * @brief Lists what a part has on the bus: memories first, then registers.
 * @return false when there are no more than @p index
 */
AI8X_API bool ai8x_part_region(const ai8x_part *part, size_t index, ai8x_region *region);

/** One field of a register: the row that decoding, `info`, traces and documentation share. */
typedef struct ai8x_field {
	const char *name;    /**< as in the hardware reference: "xpch_max" */
	unsigned low;        /**< lowest bit */
	unsigned width;      /**< bits */
	const char *meaning; /**< in a few words */
} ai8x_field;

/**
 * @brief Fields of the register at @p address, lowest bit first.
 * @param fields  receives up to @p capacity rows; may be NULL when capacity is 0
 * @return number of fields the register has (0: nothing known there)
 */
AI8X_API size_t ai8x_part_fields(const ai8x_part *part, uint32_t address, ai8x_field *fields,
                                 size_t capacity);

#ifdef __cplusplus
}
#endif
#endif
