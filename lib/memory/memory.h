// The accelerator's memories as the bus sees them. One file each: data, kernel, bias, TRAM, FIFO.
#ifndef AI8X_MEMORY_MEMORY_H
#define AI8X_MEMORY_MEMORY_H

#include "part/part.h"

#define KERNEL_WORD_BYTES 9

// Data memory: sixteen instances of 32-bit words, each word four channels (hardware reference 1, 4.2).
struct data_memory {
	uint32_t *word[AI8X_INSTANCES];
	uint32_t words; // of one instance
};

ai8x_status data_memory_create(struct data_memory *memory, const ai8x_part *part);
void data_memory_destroy(struct data_memory *memory);
void data_memory_clear(struct data_memory *memory, unsigned group);

// Kernel memory of one processor: 72-bit words, kept as the byte stream that kernels are fetched from
// (hardware reference 2.1 and 4.5), with the state of both loaders.
struct kernel_unit {
	uint8_t *stream; // 9 bytes per word, last kernel byte (k8) first
	uint32_t words;
	bool written;           // since it was cleared
	uint8_t latch[16];      // plain loading: the four bus words of the word being assembled ...
	uint32_t latch_word;    // ... which word that is ...
	uint8_t latch_seen;     // ... and which of the four were written for it
	uint32_t express_word;  // packed loading: next word to commit ...
	uint32_t express_bytes; // ... bytes collected for it, at most 8 ...
	uint64_t express;       // ... and these, the last one lowest
};

struct kernel_memory {
	struct kernel_unit unit[AI8X_PROCESSORS];
	uint64_t stamp; // changes with every commit, so that unpacked copies know when they are stale
};

// What a bus write committed, for observers.
struct kernel_commit {
	bool committed;
	uint32_t word;
	bool whole; // all of its bytes were written for it; else some are left from another word
};

ai8x_status kernel_memory_create(struct kernel_memory *memory, const ai8x_part *part);
void kernel_memory_destroy(struct kernel_memory *memory);
void kernel_memory_clear(struct kernel_memory *memory, unsigned group);

// Plain access: bus word `offset` (0, 4, 8 or 12) of kernel word `word`.
struct kernel_commit kernel_write_plain(struct kernel_memory *memory, unsigned processor, uint32_t word,
                                        uint32_t offset, uint32_t value);
uint32_t kernel_read_plain(const struct kernel_memory *memory, unsigned processor, uint32_t word,
                           uint32_t offset);

// Packed access: select the first word, then append four bytes at a time.
void kernel_express_select(struct kernel_memory *memory, unsigned processor, uint32_t word);
struct kernel_commit kernel_express_append(struct kernel_memory *memory, unsigned processor, uint32_t value);

// Bias memory: one signed byte per bus word, per group.
struct bias_memory {
	int8_t *entry[AI8X_GROUPS];
	uint32_t entries;
	uint64_t stamp; // changes with every write
};

ai8x_status bias_memory_create(struct bias_memory *memory, const ai8x_part *part);
void bias_memory_destroy(struct bias_memory *memory);
void bias_memory_clear(struct bias_memory *memory, unsigned group);

// TRAM as storage behind the bus. The line buffers of running layers live in the engines: how
// hardware packs pooled pixels into the 16-bit cells is not known (hardware reference 9).
struct tram_memory {
	uint16_t *word[AI8X_PROCESSORS];
	uint32_t words;
	bool written[AI8X_PROCESSORS]; // since it was cleared
};

ai8x_status tram_memory_create(struct tram_memory *memory, const ai8x_part *part);
void tram_memory_destroy(struct tram_memory *memory);
void tram_memory_clear(struct tram_memory *memory, unsigned group);

// Input of a streaming or FIFO-fed layer, unwrapped (see stream.c).
struct stream_image {
	uint32_t *word[AI8X_INSTANCES]; // NULL: the layer reads this instance from data memory
	uint32_t words;                 // of one instance
	uint32_t base[AI8X_GROUPS];     // data memory word of the image's word 0
	uint32_t ring;                  // words of the ring in data memory; 0: not wrapped
	// Room of earlier images, which the next one takes: runs allocate once.
	uint32_t *room[AI8X_INSTANCES];
	size_t room_words[AI8X_INSTANCES];
};

// The coordinates of both parts are at most 11 bits: what is larger could not be addressed.
#define STREAM_MOST_WORDS (UINT32_C(1) << 26)

// Makes images for the instances in `instances` (bit i: instance i), filled from data memory. AI8X_ERR_LIMIT where they
// are too large.
ai8x_status stream_image_begin(struct stream_image *image, const struct data_memory *data,
                               const uint32_t base[AI8X_GROUPS], uint64_t words, uint32_t ring,
                               uint32_t instances);
void stream_image_end(struct stream_image *image);
void stream_image_release(struct stream_image *image);
// Stores a result whose unwrapped data memory word is `word`; ignored outside the image.
void stream_image_store(struct stream_image *image, unsigned instance, uint32_t word, uint32_t value,
                        uint32_t mask);
// The same for `count` whole words from `word` on.
void stream_image_copy(struct stream_image *image, unsigned instance, uint32_t word, const uint32_t *values,
                       uint64_t count);

// FIFOs 0..3 feed a group each; number 4 is the fast FIFO (hardware reference 5.1).
#define FIFO_FAST 4
#define FIFO_COUNT 5
#define FIFO_MAX_DEPTH 64

struct fifo {
	uint32_t word[FIFO_MAX_DEPTH];
	uint32_t depth;
	uint32_t level;
	uint32_t read; // index of the oldest word
	uint64_t pushed, popped;
};

void fifo_reset(struct fifo *fifo, uint32_t depth);
bool fifo_push(struct fifo *fifo, uint32_t value); // false: full
bool fifo_pop(struct fifo *fifo, uint32_t *value); // false: empty

#endif
