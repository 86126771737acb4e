/**
 * @file status.h
 * @brief Status values and error messages.
 *
 * Every function of this library that can fail returns an @ref ai8x_status. Functions that can tell
 * more take an @ref ai8x_error as their last argument and fill its message; it may be NULL. A
 * message names what was wrong, where (file, offset, layer, register, address) and what was expected.
 *
 * A null pointer is an argument error (AI8X_ERR_ARGUMENT) unless it is said to be allowed. Functions without a status
 * then do nothing, or return 0, false, NULL or "". Texts and lists that receive up to a given size may be null: only
 * their length is then told.
 *
 * Example: examples/hello.c.
 */
#ifndef AI8XSIM_STATUS_H
#define AI8XSIM_STATUS_H

#include <stddef.h>

/** Marks what the shared library exports and keeps: the stable tier (docs/versions.md). */
#define AI8X_API __attribute__((visibility("default")))
/** Marks what the shared library exports and may still change with a minor version: the experimental tier. */
#define AI8X_API_EXPERIMENTAL AI8X_API

#ifdef __cplusplus
extern "C" {
#endif

/** Status of an operation. The numbers are part of the ABI and never change. */
typedef enum ai8x_status {
	AI8X_OK = 0,               /**< done */
	AI8X_ERR_ARGUMENT = 1,     /**< the caller passed something that makes no sense */
	AI8X_ERR_NO_MEMORY = 2,    /**< the host has no memory left */
	AI8X_ERR_IO = 3,           /**< a file could not be opened, read or written */
	AI8X_ERR_FORMAT = 4,       /**< a file is not what it should be */
	AI8X_ERR_ADDRESS = 5,      /**< no register or memory of the part at that bus address */
	AI8X_ERR_ALIGNMENT = 6,    /**< a 32-bit access to an address that is not a multiple of 4 */
	AI8X_ERR_LAYER = 7,        /**< a layer's registers ask for what the part cannot do */
	AI8X_ERR_CYCLE_LIMIT = 8,  /**< the machine was still running at the cycle limit */
	AI8X_ERR_STALLED = 9,      /**< the machine waits for something that never comes */
	AI8X_ERR_NOT_STARTED = 10, /**< asked to finish a run that no register write had started */
	AI8X_ERR_UNSUPPORTED = 11, /**< a feature that this build or this model does not have */
	AI8X_ERR_LIMIT = 12,       /**< input larger than this library accepts */
	AI8X_ERR_MISMATCH = 13,    /**< the machine ran, but a check failed */
	AI8X_FIFO_FULL = 14,       /**< not an error: the FIFO has no room now, try again later */
	AI8X_WAITING = 15,         /**< not an error: the machine waits for FIFO data from the host */
	AI8X_ERR_NETWORK = 16,     /**< a network description that this part cannot run */
	AI8X_ERR_CANCELLED = 17,   /**< a callback asked to stop */
} ai8x_status;

/** Bytes of an error message, terminator included. */
#define AI8X_MESSAGE_SIZE 512

/** An error with its explanation. Plain data: no ownership, copy it freely. */
typedef struct ai8x_error {
	ai8x_status status;              /**< the same value the function returned */
	char message[AI8X_MESSAGE_SIZE]; /**< one line of text without a final newline, or "" */
} ai8x_error;

/** @brief Name of a status value, such as "AI8X_ERR_LAYER". Never NULL. */
AI8X_API const char *ai8x_status_name(ai8x_status status);

/** @brief What a status value means, in a few words. Never NULL. */
AI8X_API const char *ai8x_status_text(ai8x_status status);

#ifdef __cplusplus
}
#endif
#endif
